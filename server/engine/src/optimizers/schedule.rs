//! Learning rates, constant or by schedule.

use serde_json::Value;

use crate::Unsupported;
use crate::config::{Config, serialized};

/// The learning rate as a function of the finished steps.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Schedule {
    Constant(f32),
    Exponential {
        initial: f32,
        steps: f32,
        rate: f32,
        stairs: bool,
    },
    InverseTime {
        initial: f32,
        steps: f32,
        rate: f32,
        stairs: bool,
    },
    Polynomial {
        initial: f32,
        steps: f32,
        end: f32,
        power: f32,
        cycle: bool,
    },
    Piecewise {
        boundaries: Vec<f64>,
        values: Vec<f32>,
    },
    Cosine {
        initial: f32,
        steps: f32,
        alpha: f32,
        warmup: Option<(f32, f32)>,
    },
    Restarts {
        initial: f32,
        first: f32,
        times: f32,
        momentum: f32,
        alpha: f32,
    },
}

impl Schedule {
    /// Reads `learning_rate` of an optimizer.
    pub fn read(config: Config<'_>, usual: f32) -> Result<Self, Unsupported> {
        let Some(value) = config.get("learning_rate") else {
            return Ok(Schedule::Constant(usual));
        };
        if let Ok(rate) = config.f32("learning_rate", usual) {
            return Ok(Schedule::Constant(rate));
        }
        let refused = || config.not("learning_rate");
        let (class, arguments) = serialized(value).ok_or_else(refused)?;
        let own = Config::new("learning_rate", arguments);
        let initial = own.f32("initial_learning_rate", usual)?;
        let steps = own.f32("decay_steps", 1.0)?;
        let rate = own.f32("decay_rate", 1.0)?;
        let stairs = own.flag("staircase", false)?;
        let numbers =
            |key: &str| -> Option<Vec<f64>> { own.get(key)?.as_array()?.iter().map(Value::as_f64).collect() };
        Ok(match class {
            "ExponentialDecay" => Schedule::Exponential {
                initial,
                steps,
                rate,
                stairs,
            },
            "InverseTimeDecay" => Schedule::InverseTime {
                initial,
                steps,
                rate,
                stairs,
            },
            "PolynomialDecay" => Schedule::Polynomial {
                initial,
                steps,
                end: own.f32("end_learning_rate", 1e-4)?,
                power: own.f32("power", 1.0)?,
                cycle: own.flag("cycle", false)?,
            },
            "PiecewiseConstantDecay" => {
                let boundaries = numbers("boundaries").ok_or_else(refused)?;
                let values = numbers("values").ok_or_else(refused)?;
                if values.len() != boundaries.len() + 1 {
                    return Err(refused());
                }
                Schedule::Piecewise {
                    boundaries,
                    values: values.iter().map(|&value| value as f32).collect(),
                }
            }
            "CosineDecay" => Schedule::Cosine {
                initial,
                steps,
                alpha: own.f32("alpha", 0.0)?,
                warmup: match own.opt_number("warmup_target")? {
                    Some(target) => Some((target as f32, own.f32("warmup_steps", 0.0)?)),
                    None => None,
                },
            },
            "CosineDecayRestarts" => Schedule::Restarts {
                initial,
                first: own.f32("first_decay_steps", 1.0)?,
                times: own.f32("t_mul", 2.0)?,
                momentum: own.f32("m_mul", 1.0)?,
                alpha: own.f32("alpha", 0.0)?,
            },
            _ => return Err(refused()),
        })
    }

    /// The rate after so many steps.
    pub fn at(&self, step: u64) -> f32 {
        let now = step as f32;
        let portion = |steps: f32, stairs: bool| {
            if stairs {
                (now / steps).floor()
            } else {
                now / steps
            }
        };
        let cosine = |share: f32| 0.5 * (1.0 + (std::f32::consts::PI * share).cos());
        match self {
            Schedule::Constant(rate) => *rate,
            Schedule::Exponential {
                initial,
                steps,
                rate,
                stairs,
            } => initial * rate.powf(portion(*steps, *stairs)),
            Schedule::InverseTime {
                initial,
                steps,
                rate,
                stairs,
            } => initial / (1.0 + rate * portion(*steps, *stairs)),
            Schedule::Polynomial {
                initial,
                steps,
                end,
                power,
                cycle,
            } => {
                let (now, steps) = if *cycle {
                    let times = if now == 0.0 { 1.0 } else { (now / steps).ceil() };
                    (now, steps * times)
                } else {
                    (now.min(*steps), *steps)
                };
                (initial - end) * (1.0 - now / steps).powf(*power) + end
            }
            Schedule::Piecewise { boundaries, values } => {
                let passed = boundaries
                    .iter()
                    .filter(|&&boundary| step as f64 > boundary)
                    .count();
                values.get(passed).copied().unwrap_or(f32::NAN)
            }
            Schedule::Cosine {
                initial,
                steps,
                alpha,
                warmup,
            } => {
                let (from, now) = match warmup {
                    Some((target, long)) if now < *long => {
                        return initial + (target - initial) * (now / long);
                    }
                    Some((target, long)) => (*target, now - long),
                    None => (*initial, now),
                };
                let decayed = (1.0 - alpha) * cosine(now.min(*steps) / steps) + alpha;
                from * decayed
            }
            Schedule::Restarts {
                initial,
                first,
                times,
                momentum,
                alpha,
            } => {
                let done = now / first;
                let (round, share) = if *times == 1.0 {
                    (done.floor(), done - done.floor())
                } else {
                    let round = ((1.0 - done * (1.0 - times)).ln() / times.ln()).floor();
                    let sum = (1.0 - times.powf(round)) / (1.0 - times);
                    (round, (done - sum) / times.powf(round))
                };
                let decayed = (1.0 - alpha) * momentum.powf(round) * cosine(share) + alpha;
                initial * decayed
            }
        }
    }
}
