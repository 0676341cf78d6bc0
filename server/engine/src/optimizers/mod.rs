//! The optimizers of Keras: one file each, and what they share.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod ftrl;
mod lamb;
mod lion;
mod nadam;
mod rmsprop;
mod schedule;
mod sgd;

use serde_json::Value;

use crate::Unsupported;
use crate::config::{Config, serialized};
use crate::graph::Param;
use crate::probe::{PORTION, Watch};
use schedule::Schedule;

/// Most variables an optimizer keeps for each weight.
const MOST_SLOTS: usize = 3;

/// How one optimizer changes a weight.
pub(crate) trait Rule: Send {
    /// Initial values of the variables it keeps for each weight.
    fn slots(&self) -> Vec<f32>;

    /// Once before the weights of a step.
    fn begin(&mut self, _now: Now) {}

    /// Changes one weight, or a part of one.
    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]);

    /// Whether it has to see the whole of a weight at once.
    fn whole(&self) -> bool {
        false
    }

    /// Changes the whole of a weight of that shape.
    fn update_whole(
        &self,
        now: Now,
        _shape: &[usize],
        weight: &mut [f32],
        gradient: &[f32],
        slots: &mut [&mut [f32]],
    ) {
        self.update(now, weight, gradient, slots);
    }
}

/// The step that is being made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// Number of the step, from 1.
    pub step: f32,
    /// Learning rate.
    pub rate: f32,
}

type Make = fn(Config<'_>) -> Result<Box<dyn Rule>, Unsupported>;

/// All of them: class, name, and how to make one.
const OPTIMIZERS: &[(&str, &str, Make)] = &[
    ("SGD", "sgd", sgd::make),
    ("RMSprop", "rmsprop", rmsprop::make),
    ("Adam", "adam", adam::make),
    ("AdamW", "adamw", adam::make),
    ("Adamax", "adamax", adamax::make),
    ("Nadam", "nadam", nadam::make),
    ("Adagrad", "adagrad", adagrad::make),
    ("Adadelta", "adadelta", adadelta::make),
    ("Ftrl", "ftrl", ftrl::make),
    ("Lion", "lion", lion::make),
    ("Lamb", "lamb", lamb::make),
    ("Adafactor", "adafactor", adafactor::make),
];

/// Names of all optimizers, for the documentation.
pub fn names() -> impl Iterator<Item = &'static str> {
    OPTIMIZERS.iter().map(|(class, ..)| *class)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Clip {
    None,
    Norm(f32),
    GlobalNorm(f32),
    Value(f32),
}

/// An optimizer with what it keeps for each weight.
pub(crate) struct Optimizer {
    rule: Box<dyn Rule>,
    rate: Schedule,
    weight_decay: Option<f32>,
    clip: Clip,
    /// Momentum and how often the weights become the averages.
    average: Option<(f32, Option<u64>)>,
    accumulation: u64,
    /// Finished steps.
    iterations: u64,
    /// By index of the weight.
    slots: Vec<Vec<Vec<f32>>>,
    averages: Vec<Vec<f32>>,
    accumulated: Vec<Vec<f32>>,
}

impl Optimizer {
    /// Reads a serialised optimizer, or its name.
    pub fn read(value: &Value, params: &[Param]) -> Result<Self, Unsupported> {
        let refused = || {
            Unsupported::new(
                "optimizer",
                value.to_string().chars().take(80).collect::<String>(),
            )
        };
        let (class, config) = serialized(value).ok_or_else(refused)?;
        let (class, _, make) = OPTIMIZERS
            .iter()
            .find(|(name, short, _)| *name == class || *short == class.to_lowercase())
            .ok_or_else(|| Unsupported::new("optimizer", format!("{class} is not covered")))?;
        let place = format!("optimizer {class}");
        let config = Config::new(&place, config);
        config.only("loss_scale_factor", &[])?;
        let rule = make(config)?;
        let usual = match *class {
            "SGD" => 0.01,
            _ => 0.001,
        };
        let clip = match (
            config.opt_number("clipnorm")?,
            config.opt_number("global_clipnorm")?,
            config.opt_number("clipvalue")?,
        ) {
            (Some(norm), _, _) if norm > 0.0 => Clip::Norm(norm as f32),
            (_, Some(norm), _) if norm > 0.0 => Clip::GlobalNorm(norm as f32),
            (_, _, Some(value)) if value > 0.0 => Clip::Value(value as f32),
            _ => Clip::None,
        };
        let decay = config.opt_number("weight_decay")?.map(|decay| decay as f32);
        let average = if config.flag("use_ema", false)? {
            let every = config.opt_size("ema_overwrite_frequency")?;
            Some((config.f32("ema_momentum", 0.99)?, every.map(|every| every as u64)))
        } else {
            None
        };
        let accumulation = config.opt_size("gradient_accumulation_steps")?.unwrap_or(1) as u64;
        let initial = rule.slots();
        let slots = params
            .iter()
            .map(|param| {
                let size = if param.learns() { param.value.len() } else { 0 };
                initial.iter().map(|&value| vec![value; size]).collect()
            })
            .collect();
        Ok(Optimizer {
            rule,
            rate: Schedule::read(config, usual)?,
            weight_decay: match *class {
                "AdamW" => decay.or(Some(0.004)),
                _ => decay,
            },
            clip,
            average,
            accumulation,
            iterations: 0,
            slots,
            averages: Vec::new(),
            accumulated: Vec::new(),
        })
    }

    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f32 {
        self.rate.at(self.iterations)
    }

    /// Sets it; a schedule gives way.
    pub fn set_learning_rate(&mut self, rate: f32) {
        self.rate = Schedule::Constant(rate);
    }

    /// Finished steps.
    pub fn iterations(&self) -> u64 {
        self.iterations
    }

    /// How many numbers it keeps.
    pub fn kept(&self) -> usize {
        self.slots.iter().flatten().map(Vec::len).sum()
    }

    /// Changes the weights by their gradients, and takes down what happens to them.
    pub fn apply(&mut self, params: &mut [Param], mut watch: Option<&mut Watch>) {
        let now = Now {
            // Keras counts updates, not batches, except for schedules.
            step: (self.iterations / self.accumulation.max(1) + 1) as f32,
            rate: self.learning_rate(),
        };
        if let Some(watch) = &mut watch {
            // Where gradients or weights are changed by what looks at the whole of them.
            let all = self.clip != Clip::None
                || self.accumulation > 1
                || self.average.is_some()
                || self.rule.whole();
            watch.begin(params, |param| all || param.constraint.is_some());
        }
        if self.accumulate(params) {
            self.clip_gradients(params);
            self.rule.begin(now);
            for (index, (param, slots)) in params.iter_mut().zip(&mut self.slots).enumerate() {
                if !(param.learns() && param.touched) {
                    continue;
                }
                let watch = watch.as_deref_mut().filter(|watch| watch.in_portions(index));
                let decay = self.weight_decay.map(|decay| decay * now.rate);
                update(self.rule.as_ref(), now, decay, (index, param), slots, watch);
            }
        }
        self.average(params);
        for param in trained(params) {
            if let Some(constraint) = &param.constraint {
                constraint.project(&param.shape, &mut param.value);
            }
        }
        if let Some(watch) = watch {
            watch.end(params);
        }
        self.iterations += 1;
    }

    /// Whether this step updates; with accumulation only every n-th does, by the mean gradient.
    fn accumulate(&mut self, params: &mut [Param]) -> bool {
        if self.accumulation <= 1 {
            return true;
        }
        self.accumulated.resize(params.len(), Vec::new());
        let due = (self.iterations + 1).is_multiple_of(self.accumulation);
        for (param, sums) in params.iter_mut().zip(&mut self.accumulated) {
            if !(param.learns() && param.touched) {
                continue;
            }
            sums.resize(param.grad.len(), 0.0);
            for (sum, gradient) in sums.iter_mut().zip(&mut param.grad) {
                if due {
                    *gradient = (*gradient + *sum) / self.accumulation as f32;
                    *sum = 0.0;
                } else {
                    *sum += *gradient;
                }
            }
        }
        due
    }

    fn clip_gradients(&self, params: &mut [Param]) {
        let norm = |gradient: &[f32]| gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
        match self.clip {
            Clip::None => {}
            Clip::Value(most) => {
                for param in trained(params) {
                    param.grad.iter_mut().for_each(|g| *g = clamp(*g, most));
                }
            }
            Clip::Norm(most) => {
                for param in trained(params) {
                    let norm = norm(&param.grad).sqrt() as f32;
                    // As TensorFlow: g · most / max(norm, most).
                    let factor = most / norm.max(most);
                    if norm > most || norm.is_nan() {
                        param.grad.iter_mut().for_each(|g| *g *= factor);
                    }
                }
            }
            Clip::GlobalNorm(most) => {
                let total: f64 = trained(params).map(|param| norm(&param.grad)).sum();
                let total = total.sqrt() as f32;
                let factor = if total.is_finite() {
                    most / total.max(most)
                } else {
                    f32::NAN
                };
                if total > most || total.is_nan() {
                    for param in trained(params) {
                        param.grad.iter_mut().for_each(|g| *g *= factor);
                    }
                }
            }
        }
    }

    fn average(&mut self, params: &mut [Param]) {
        let Some((momentum, every)) = self.average else {
            return;
        };
        if self.averages.is_empty() {
            self.averages = params.iter().map(|param| vec![0.0; param.value.len()]).collect();
        }
        // The first average is the weight itself.
        let updates = self.iterations / self.accumulation.max(1);
        let momentum = if updates == 0 { 0.0 } else { momentum };
        let overwrite = every.is_some_and(|every| (updates + 1).is_multiple_of(every));
        for (param, average) in params.iter_mut().zip(&mut self.averages) {
            if !param.learns() {
                continue;
            }
            for (average, weight) in average.iter_mut().zip(&mut param.value) {
                *average = momentum * *average + (1.0 - momentum) * *weight;
                if overwrite {
                    *weight = *average;
                }
            }
        }
    }

    /// At the end of the training: with averages that never overwrite the weights, they do now.
    pub fn finish(&mut self, params: &mut [Param]) {
        if self.average.is_some() && !self.averages.is_empty() {
            for (param, average) in params.iter_mut().zip(&self.averages) {
                if param.learns() {
                    param.value.copy_from_slice(average);
                }
            }
        }
    }
}

/// Changes one weight, portion by portion where it is watched.
fn update(
    rule: &dyn Rule,
    now: Now,
    decay: Option<f32>,
    (index, param): (usize, &mut Param),
    slots: &mut [Vec<f32>],
    mut watch: Option<&mut Watch>,
) {
    let size = if watch.is_some() {
        PORTION
    } else {
        param.value.len()
    }
    .max(1);
    let count = slots.len().min(MOST_SLOTS);
    let mut parts: Vec<_> = slots.iter_mut().map(|slot| slot.chunks_mut(size)).collect();
    for (weight, gradient) in param.value.chunks_mut(size).zip(param.grad.chunks(size)) {
        let mut state: [&mut [f32]; MOST_SLOTS] = Default::default();
        for (state, parts) in state.iter_mut().zip(&mut parts) {
            *state = parts.next().unwrap_or_default();
        }
        let mut change = |weight: &mut [f32]| {
            if let Some(factor) = decay {
                weight.iter_mut().for_each(|weight| *weight -= *weight * factor);
            }
            if rule.whole() {
                rule.update_whole(now, &param.shape, weight, gradient, &mut state[..count]);
            } else {
                rule.update(now, weight, gradient, &mut state[..count]);
            }
        };
        match &mut watch {
            Some(watch) => watch.portion(index, (weight, gradient), change),
            None => change(weight),
        }
    }
}

fn clamp(gradient: f32, most: f32) -> f32 {
    if gradient > most {
        most
    } else if gradient < -most {
        -most
    } else {
        gradient
    }
}

fn trained(params: &mut [Param]) -> impl Iterator<Item = &mut Param> {
    params.iter_mut().filter(|param| param.learns() && param.touched)
}
