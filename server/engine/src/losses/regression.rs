//! Losses that are a mean or sum over the outputs of one row.

use super::{EPSILON, Gradients, Pair, columns};
use crate::config::Config;
use crate::functions::softplus;
use crate::{EngineError, Unsupported};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Row {
    Squared,
    Absolute,
    AbsolutePercentage,
    SquaredLogarithmic,
    Cosine,
    Huber(f32),
    LogCosh,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    KlDivergence,
    Poisson,
}

impl Row {
    pub fn read(name: &str, config: Config<'_>, bare: bool) -> Result<Option<Self>, Unsupported> {
        Ok(Some(match name {
            "mean_squared_error" => Row::Squared,
            "mean_absolute_error" => Row::Absolute,
            "mean_absolute_percentage_error" => Row::AbsolutePercentage,
            "mean_squared_logarithmic_error" => Row::SquaredLogarithmic,
            "cosine_similarity" => Row::Cosine,
            // Keras leaves `delta` out of the configuration of a `Huber` object.
            "huber" if !bare && config.get("delta").is_none() => return Err(config.not("delta")),
            "huber" => Row::Huber(config.f32("delta", 1.0)?),
            "log_cosh" => Row::LogCosh,
            "hinge" => Row::Hinge,
            "squared_hinge" => Row::SquaredHinge,
            "categorical_hinge" => Row::CategoricalHinge,
            "kl_divergence" => Row::KlDivergence,
            "poisson" => Row::Poisson,
            _ => return Ok(None),
        }))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Row::Squared => "mean_squared_error",
            Row::Absolute => "mean_absolute_error",
            Row::AbsolutePercentage => "mean_absolute_percentage_error",
            Row::SquaredLogarithmic => "mean_squared_logarithmic_error",
            Row::Cosine => "cosine_similarity",
            Row::Huber(_) => "huber",
            Row::LogCosh => "log_cosh",
            Row::Hinge => "hinge",
            Row::SquaredHinge => "squared_hinge",
            Row::CategoricalHinge => "categorical_hinge",
            Row::KlDivergence => "kl_divergence",
            Row::Poisson => "poisson",
        }
    }

    /// The loss of each row; adds the gradients, each row's times its coefficient.
    pub fn run(
        self,
        pair: Pair<'_>,
        coefficients: Option<&[f32]>,
        gradients: &mut Gradients<'_>,
        values: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let (given, predicted) = columns(pair)?;
        let wide = given.max(predicted).max(1);
        let rows = pair.prediction.len() / predicted.max(1);
        let binary = matches!(self, Row::Hinge | Row::SquaredHinge)
            && pair.target.data.iter().all(|&y| y == 0.0 || y == 1.0);
        let stretched = given != predicted;
        let (mut t, mut p, mut g) = (vec![0.0; wide], vec![0.0; wide], vec![0.0; wide]);
        for row in 0..rows {
            let targets = &pair.target.data[row * given..(row + 1) * given];
            let predictions = &pair.prediction.data()[row * predicted..(row + 1) * predicted];
            let (t, p): (&[f32], &[f32]) = if stretched || binary {
                for at in 0..wide {
                    t[at] = targets[if given == 1 { 0 } else { at }];
                    p[at] = predictions[if predicted == 1 { 0 } else { at }];
                }
                if binary {
                    t.iter_mut().for_each(|y| *y = 2.0 * *y - 1.0);
                }
                (&t, &p)
            } else {
                (targets, predictions)
            };
            let Some(coefficients) = coefficients else {
                values.push(self.row(t, p, 0.0, None));
                continue;
            };
            let Some(all) = gradients.prediction.as_deref_mut() else {
                values.push(self.row(t, p, 0.0, None));
                continue;
            };
            let out = &mut all[row * predicted..(row + 1) * predicted];
            if stretched {
                g.fill(0.0);
                values.push(self.row(t, p, coefficients[row], Some(&mut g)));
                for (at, &part) in g.iter().enumerate() {
                    out[if predicted == 1 { 0 } else { at }] += part;
                }
            } else {
                values.push(self.row(t, p, coefficients[row], Some(out)));
            }
        }
        Ok(())
    }

    /// Loss of one row; adds `c` times its gradient.
    #[allow(clippy::many_single_char_names)]
    fn row(self, t: &[f32], p: &[f32], c: f32, gradient: Option<&mut [f32]>) -> f32 {
        let n = p.len().max(1) as f32;
        let mean = |value: &dyn Fn(f32, f32) -> f32| -> f32 {
            t.iter().zip(p).map(|(&t, &p)| value(t, p)).sum::<f32>() / n
        };
        let add = |gradient: Option<&mut [f32]>, c: f32, slope: &dyn Fn(f32, f32) -> f32| {
            for (g, (&t, &p)) in gradient.into_iter().flatten().zip(t.iter().zip(p)) {
                *g += c * slope(t, p);
            }
        };
        let sign = |x: f32| if x == 0.0 { 0.0 } else { x.signum() };
        match self {
            Row::Squared => {
                if let Some(gradient) = gradient {
                    let c = 2.0 * c / n;
                    for (g, (&t, &p)) in gradient.iter_mut().zip(t.iter().zip(p)) {
                        *g += c * (p - t);
                    }
                }
                t.iter().zip(p).map(|(&t, &p)| (t - p) * (t - p)).sum::<f32>() / n
            }
            Row::Absolute => {
                add(gradient, c / n, &|t, p| sign(p - t));
                mean(&|t, p| (t - p).abs())
            }
            Row::AbsolutePercentage => {
                let scale = |t: f32| t.abs().max(EPSILON);
                add(gradient, 100.0 * c / n, &|t, p| sign(p - t) / scale(t));
                100.0 * mean(&|t, p| ((t - p) / scale(t)).abs())
            }
            Row::SquaredLogarithmic => {
                let log = |x: f32| (x.max(EPSILON) + 1.0).ln();
                add(gradient, 2.0 * c / n, &|t, p| {
                    if p < EPSILON {
                        0.0
                    } else {
                        (log(p) - log(t)) / (p + 1.0)
                    }
                });
                mean(&|t, p| (log(p) - log(t)) * (log(p) - log(t)))
            }
            Row::Cosine => cosine(t, p, c, gradient),
            Row::Huber(delta) => {
                add(gradient, c / n, &|t, p| {
                    let error = p - t;
                    if error.abs() <= delta {
                        error
                    } else {
                        delta * sign(error)
                    }
                });
                mean(&|t, p| {
                    let error = (p - t).abs();
                    if error <= delta {
                        0.5 * error * error
                    } else {
                        delta * error - 0.5 * delta * delta
                    }
                })
            }
            Row::LogCosh => {
                add(gradient, c / n, &|t, p| (p - t).tanh());
                mean(&|t, p| p - t + softplus(-2.0 * (p - t)) - std::f32::consts::LN_2)
            }
            Row::Hinge => {
                add(gradient, c / n, &|t, p| if 1.0 - t * p > 0.0 { -t } else { 0.0 });
                mean(&|t, p| (1.0 - t * p).max(0.0))
            }
            Row::SquaredHinge => {
                add(gradient, c / n, &|t, p| -2.0 * t * (1.0 - t * p).max(0.0));
                mean(&|t, p| (1.0 - t * p).max(0.0) * (1.0 - t * p).max(0.0))
            }
            Row::CategoricalHinge => categorical_hinge(t, p, c, gradient),
            Row::KlDivergence => {
                let within = |x: f32| x.clamp(EPSILON, 1.0);
                add(gradient, c, &|t, p| {
                    if (EPSILON..=1.0).contains(&p) {
                        -within(t) / p
                    } else {
                        0.0
                    }
                });
                n * mean(&|t, p| within(t) * (within(t) / within(p)).ln())
            }
            Row::Poisson => {
                add(gradient, c / n, &|t, p| 1.0 - t / (p + EPSILON));
                mean(&|t, p| p - t * (p + EPSILON).ln())
            }
        }
    }
}

/// Minus the cosine of the angle; Keras floors the squared norms.
#[allow(clippy::many_single_char_names)]
fn cosine(t: &[f32], p: &[f32], c: f32, gradient: Option<&mut [f32]>) -> f32 {
    let squares = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>();
    let floor = EPSILON * EPSILON;
    let (tt, pp) = (squares(t), squares(p));
    let (ti, pi) = (1.0 / tt.max(floor).sqrt(), 1.0 / pp.max(floor).sqrt());
    let dot: f32 = t.iter().zip(p).map(|(t, p)| t * ti * p * pi).sum();
    if let Some(gradient) = gradient {
        let radial = if pp > floor { dot * pi } else { 0.0 };
        for (g, (&t, &p)) in gradient.iter_mut().zip(t.iter().zip(p)) {
            *g -= c * (t * ti * pi - radial * p * pi);
        }
    }
    -dot
}

#[allow(clippy::many_single_char_names)]
fn categorical_hinge(t: &[f32], p: &[f32], c: f32, gradient: Option<&mut [f32]>) -> f32 {
    let pos: f32 = t.iter().zip(p).map(|(t, p)| t * p).sum();
    let others: Vec<f32> = t.iter().zip(p).map(|(t, p)| (1.0 - t) * p).collect();
    let neg = others.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let loss = (neg - pos + 1.0).max(0.0);
    if let Some(gradient) = gradient
        && neg - pos + 1.0 > 0.0
    {
        // TensorFlow shares the gradient of a maximum among those that attain it.
        let ties = others.iter().filter(|&&value| value == neg).count().max(1) as f32;
        for ((g, &t), &other) in gradient.iter_mut().zip(t).zip(&others) {
            let largest = if other == neg { (1.0 - t) / ties } else { 0.0 };
            *g += c * (largest - t);
        }
    }
    loss
}
