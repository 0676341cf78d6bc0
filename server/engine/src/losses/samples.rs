//! Losses with one number for each sample that are no sum over its outputs: CTC and the circle loss.

use super::{Gradients, Pair};
use crate::config::Config;
use crate::functions::{sigmoid, softplus};
use crate::{EngineError, Unsupported};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Samples {
    /// Of sequences of logits against shorter sequences of labels; 0 is the blank.
    Ctc,
    /// Of embeddings against the classes of the batch.
    Circle {
        gamma: f32,
        margin: f32,
        /// Whether a sample is no pair with itself.
        no_diagonal: bool,
    },
}

impl Samples {
    pub fn read(name: &str, config: Config<'_>) -> Result<Option<Self>, Unsupported> {
        Ok(match name {
            "ctc" => Some(Samples::Ctc),
            "circle" => Some(Samples::Circle {
                gamma: config.f32("gamma", 80.0)?,
                margin: config.f32("margin", 0.4)?,
                no_diagonal: config.flag("remove_diagonal", true)?,
            }),
            _ => None,
        })
    }

    /// Which samples count: of the circle loss those with a pair of each kind.
    pub fn valid(&self, pair: Pair<'_>) -> Result<Option<Vec<f32>>, EngineError> {
        let Samples::Circle { .. } = self else {
            return Ok(None);
        };
        let mut values = Vec::new();
        let mut none = Gradients {
            prediction: None,
            logits: None,
        };
        self.run(pair, None, &mut none, &mut values)?;
        Ok(Some(
            values
                .iter()
                .map(|&value| f32::from(u8::from(value > 0.0)))
                .collect(),
        ))
    }

    pub fn run(
        &self,
        pair: Pair<'_>,
        coefficients: Option<&[f32]>,
        gradients: &mut Gradients<'_>,
        values: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let gradient = gradients.prediction.as_deref_mut();
        match *self {
            Samples::Ctc => ctc(pair, coefficients, gradient, values),
            Samples::Circle {
                gamma,
                margin,
                no_diagonal,
            } => circle(pair, (gamma, margin, no_diagonal), coefficients, gradient, values),
        }
    }
}

fn unfit(pair: Pair<'_>) -> EngineError {
    let (target, prediction) = (pair.target.shape, pair.prediction.shape());
    EngineError::shape(
        "loss",
        format!("targets of shape {target:?} for predictions of shape {prediction:?}"),
    )
}

fn ctc(
    pair: Pair<'_>,
    coefficients: Option<&[f32]>,
    mut gradient: Option<&mut [f32]>,
    values: &mut Vec<f32>,
) -> Result<(), EngineError> {
    let (&[samples, longest], &[same, steps, classes]) = (pair.target.shape, pair.prediction.shape()) else {
        return Err(unfit(pair));
    };
    if samples != same || classes == 0 || steps == 0 {
        return Err(unfit(pair));
    }
    let mut share = vec![0.0; steps * classes];
    for sample in 0..samples {
        let labels = &pair.target.data[sample * longest..(sample + 1) * longest];
        let count = labels.iter().filter(|&&label| label != 0.0).count();
        let mut path = vec![0];
        for &label in &labels[..count] {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let class = label as usize;
            if class >= classes || label < 0.0 {
                return Err(EngineError::shape(
                    "loss",
                    format!("label {label} of {classes} classes"),
                ));
            }
            path.extend([class, 0]);
        }
        let each = sample * steps * classes..(sample + 1) * steps * classes;
        let logits = &pair.prediction.data()[each.clone()];
        values.push(alignments(logits, classes, &path, &mut share));
        if let (Some(coefficients), Some(gradient)) = (coefficients, gradient.as_deref_mut()) {
            for (g, &slope) in gradient[each].iter_mut().zip(&share) {
                *g += coefficients[sample] * slope;
            }
        }
    }
    Ok(())
}

fn log_sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + values.map(|value| (value - most).exp()).sum::<f64>().ln()
}

/// Minus the logarithm of the probability of a path with blanks in between; `slopes` become its derivatives.
fn alignments(logits: &[f32], classes: usize, path: &[usize], slopes: &mut [f32]) -> f32 {
    let (steps, long) = (logits.len() / classes, path.len());
    let log: Vec<f64> = logits
        .chunks_exact(classes)
        .flat_map(|row| {
            let whole = log_sum(row.iter().map(|&value| f64::from(value)));
            row.iter().map(move |&value| f64::from(value) - whole)
        })
        .collect();
    // Whether a blank may be passed over on the way to this place.
    let skips = |at: usize| at >= 2 && path[at] != 0 && path[at] != path[at - 2];
    let mut ahead = vec![f64::NEG_INFINITY; steps * long];
    let mut back = ahead.clone();
    for at in 0..long.min(2) {
        ahead[at] = log[path[at]];
        back[(steps - 1) * long + long - 1 - at] = 0.0;
    }
    for step in 1..steps {
        for at in 0..long {
            let before = |by: usize| {
                let reached = at.checked_sub(by).filter(|_| by < 2 || skips(at));
                reached.map_or(f64::NEG_INFINITY, |from| ahead[(step - 1) * long + from])
            };
            ahead[step * long + at] = log_sum((0..3).map(before)) + log[step * classes + path[at]];
        }
    }
    for step in (0..steps - 1).rev() {
        for at in 0..long {
            let next = |by: usize| {
                let to = Some(at + by).filter(|&to| to < long && (by < 2 || skips(to)));
                to.map_or(f64::NEG_INFINITY, |to| {
                    back[(step + 1) * long + to] + log[(step + 1) * classes + path[to]]
                })
            };
            back[step * long + at] = log_sum((0..3).map(next));
        }
    }
    let last = (steps - 1) * long;
    let total = log_sum((last + long.saturating_sub(2)..last + long).map(|at| ahead[at]));
    #[allow(clippy::cast_possible_truncation)]
    for (slope, &log) in slopes.iter_mut().zip(&log) {
        *slope = log.exp() as f32;
    }
    for step in 0..steps {
        for at in 0..long {
            #[allow(clippy::cast_possible_truncation)]
            let share = (ahead[step * long + at] + back[step * long + at] - total).exp() as f32;
            slopes[step * classes + path[at]] -= share;
        }
    }
    #[allow(clippy::cast_possible_truncation)]
    let value = -total as f32;
    value
}

fn circle(
    pair: Pair<'_>,
    (gamma, margin, no_diagonal): (f32, f32, bool),
    coefficients: Option<&[f32]>,
    mut gradient: Option<&mut [f32]>,
    values: &mut Vec<f32>,
) -> Result<(), EngineError> {
    let &[samples, size] = pair.prediction.shape() else {
        return Err(unfit(pair));
    };
    let (labels, vectors) = (pair.target.data, pair.prediction.data());
    if labels.len() != samples {
        return Err(unfit(pair));
    }
    let vector = |sample: usize| &vectors[sample * size..(sample + 1) * size];
    for sample in 0..samples {
        // Of each pair: whether it is one of the same class, its exponent, and the slope of that by the cosine.
        let pairs: Vec<(usize, bool, f32, f32)> = (0..samples)
            .filter(|&other| other != sample || !no_diagonal || labels[other] != labels[sample])
            .map(|other| {
                let cosine: f32 = vector(sample).iter().zip(vector(other)).map(|(a, b)| a * b).sum();
                let distance = (1.0 - cosine).max(0.0);
                let along = if cosine < 1.0 { -1.0 } else { 0.0 };
                if labels[other] == labels[sample] {
                    let exponent = gamma * (distance * distance - margin * margin);
                    (other, true, exponent, along * 2.0 * gamma * distance)
                } else {
                    let weight = 1.0 + margin - distance;
                    let slope = if weight > 0.0 {
                        gamma * 2.0 * (distance - 1.0)
                    } else {
                        0.0
                    };
                    let exponent = gamma * weight.max(0.0) * (1.0 - margin - distance);
                    (other, false, exponent, along * slope)
                }
            })
            .collect();
        let sum = |same: bool| {
            log_sum(
                pairs
                    .iter()
                    .filter(move |pair| pair.1 == same)
                    .map(|pair| f64::from(pair.2)),
            )
        };
        let (of_same, of_others) = (sum(true), sum(false));
        #[allow(clippy::cast_possible_truncation)]
        let both = (of_same + of_others) as f32;
        values.push(softplus(both));
        let (Some(coefficients), Some(gradient)) = (coefficients, gradient.as_deref_mut()) else {
            continue;
        };
        if both == f32::NEG_INFINITY {
            continue;
        }
        let slope = coefficients[sample] * sigmoid(both);
        for &(other, same, exponent, by_cosine) in &pairs {
            let whole = if same { of_same } else { of_others };
            #[allow(clippy::cast_possible_truncation)]
            let share = (f64::from(exponent) - whole).exp() as f32;
            for at in 0..size {
                gradient[sample * size + at] += slope * share * by_cosine * vector(other)[at];
                gradient[other * size + at] += slope * share * by_cosine * vector(sample)[at];
            }
        }
    }
    Ok(())
}
