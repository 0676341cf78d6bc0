//! Cross-entropies, from probabilities or from logits.
//!
//! Keras on TensorFlow remembers the logits on the output of sigmoid and softmax, and its cross-entropies use these
//! whatever the prediction is. So softmax over one unit with binary cross-entropy trains like a sigmoid.

use super::{EPSILON, Gradients, Pair, Uses, columns};
use crate::activations::softmax_row;
use crate::config::Config;
use crate::functions::sigmoid;
use crate::{EngineError, Unsupported};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entropy {
    form: Form,
    from_logits: bool,
    smoothing: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Binary,
    Categorical,
    /// With the class to ignore.
    Sparse(Option<f32>),
    /// With gamma and the weight of class 1.
    BinaryFocal(f32, Option<f32>),
    /// With gamma and alpha.
    CategoricalFocal(f32, f32),
    /// With q.
    Generalized(f32),
}

impl Entropy {
    pub fn read(name: &str, config: Config<'_>) -> Result<Option<Self>, Unsupported> {
        let form = match name {
            "binary_crossentropy" => Form::Binary,
            "categorical_crossentropy" => Form::Categorical,
            "sparse_categorical_crossentropy" => {
                #[allow(clippy::cast_possible_truncation)]
                let ignored = config.opt_number("ignore_class")?.map(|class| class as f32);
                Form::Sparse(ignored)
            }
            "binary_focal_crossentropy" => {
                let alpha = config.f32("alpha", 0.25)?;
                let balanced = config.flag("apply_class_balancing", false)?;
                Form::BinaryFocal(config.f32("gamma", 2.0)?, balanced.then_some(alpha))
            }
            "categorical_focal_crossentropy" => {
                Form::CategoricalFocal(config.f32("gamma", 2.0)?, config.f32("alpha", 0.25)?)
            }
            "categorical_generalized_cross_entropy" => Form::Generalized(config.f32("q", 0.5)?),
            _ => return Ok(None),
        };
        Ok(Some(Entropy {
            form,
            from_logits: config.flag("from_logits", false)?,
            smoothing: config.f32("label_smoothing", 0.0)?,
        }))
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self.form {
            Form::Binary => "binary_crossentropy",
            Form::Categorical => "categorical_crossentropy",
            Form::Sparse(_) => "sparse_categorical_crossentropy",
            Form::BinaryFocal(..) => "binary_focal_crossentropy",
            Form::CategoricalFocal(..) => "categorical_focal_crossentropy",
            Form::Generalized(_) => "categorical_generalized_cross_entropy",
        }
    }

    /// Whether the prediction is said to be logits.
    pub fn takes_logits(&self) -> bool {
        self.from_logits
    }

    /// Where it reads when there are remembered logits.
    pub fn uses(&self) -> Uses {
        match self.form {
            Form::Binary | Form::Categorical | Form::Sparse(_) => Uses {
                prediction: false,
                logits: true,
            },
            Form::BinaryFocal(..) if !self.from_logits => Uses {
                prediction: true,
                logits: true,
            },
            _ => Uses {
                prediction: true,
                logits: false,
            },
        }
    }

    /// Which rows have a class that is not to be ignored.
    pub fn valid(&self, pair: Pair<'_>) -> Result<Option<Vec<f32>>, EngineError> {
        let Form::Sparse(Some(ignored)) = self.form else {
            return Ok(None);
        };
        let valid = |&label: &f32| f32::from(u8::from(label != ignored));
        Ok(Some(pair.target.data.iter().map(valid).collect()))
    }

    fn is_sparse(&self) -> bool {
        matches!(self.form, Form::Sparse(_) | Form::Generalized(_))
    }

    pub fn run(
        &self,
        pair: Pair<'_>,
        coefficients: Option<&[f32]>,
        gradients: &mut Gradients<'_>,
        values: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let size = pair.prediction.last().max(1);
        let rows = pair.prediction.len() / size;
        let given = if self.is_sparse() {
            self.check_labels(pair, rows, size)?;
            1
        } else {
            let (given, predicted) = columns(pair)?;
            // TensorFlow's kernels for logits want equal shapes.
            if predicted != size || (given != size && pair.logits.is_some()) || given > size {
                return Err(EngineError::shape(
                    "loss",
                    format!("{given} targets for {size} predictions"),
                ));
            }
            given
        };
        let uses = if pair.logits.is_some() {
            Some(self.uses())
        } else {
            None
        };
        let (mut t, mut scratch) = (vec![0.0; size], vec![0.0; size]);
        for row in 0..rows {
            let at = row * size..(row + 1) * size;
            let targets = &pair.target.data[row * given..(row + 1) * given];
            if self.is_sparse() {
                t[0] = targets[0];
            } else {
                for (at, t) in t.iter_mut().enumerate() {
                    *t = targets[if given == 1 { 0 } else { at }];
                }
                self.smooth(&mut t);
            }
            let c = coefficients.map_or(0.0, |coefficients| coefficients[row]);
            let wanted = coefficients.is_some();
            let prediction = &pair.prediction.data()[at.clone()];
            let logits = pair.logits.map(|logits| &logits.data()[at.clone()]);
            let gp = gradients.prediction.as_deref_mut().filter(|_| wanted);
            let gz = gradients.logits.as_deref_mut().filter(|_| wanted);
            let (gp, gz) = (gp.map(|g| &mut g[at.clone()]), gz.map(|g| &mut g[at]));
            let value = match (uses, logits) {
                (
                    Some(Uses {
                        prediction: false, ..
                    }),
                    Some(logits),
                ) => self.of_logits(&t, logits, c, gz, &mut scratch),
                (Some(Uses { logits: true, .. }), Some(logits)) => {
                    self.binary_focal(&t, prediction, Some(logits), c, gp, gz)
                }
                _ if self.from_logits => self.given_logits(&t, prediction, c, gp, &mut scratch),
                _ => self.of_probabilities(&t, prediction, c, gp, &mut scratch),
            };
            values.push(value);
        }
        Ok(())
    }

    fn check_labels(&self, pair: Pair<'_>, rows: usize, size: usize) -> Result<(), EngineError> {
        if pair.target.data.len() != rows {
            return Err(EngineError::shape(
                "loss",
                format!(
                    "labels of shape {:?} for predictions of shape {:?}",
                    pair.target.shape,
                    pair.prediction.shape()
                ),
            ));
        }
        let ignored = match self.form {
            Form::Sparse(ignored) => ignored,
            _ => None,
        };
        for &label in pair.target.data {
            if Some(label) != ignored && !(label > -1.0 && label < size as f32) {
                return Err(EngineError::Label { label, classes: size });
            }
        }
        Ok(())
    }

    fn smooth(&self, t: &mut [f32]) {
        if self.smoothing == 0.0 {
            return;
        }
        let floor = match self.form {
            Form::Binary | Form::BinaryFocal(..) => 0.5 * self.smoothing,
            _ => self.smoothing / t.len() as f32,
        };
        t.iter_mut()
            .for_each(|t| *t = *t * (1.0 - self.smoothing) + floor);
    }

    /// Cross-entropy of logits.
    fn of_logits(
        &self,
        t: &[f32],
        z: &[f32],
        c: f32,
        gradient: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) -> f32 {
        if matches!(self.form, Form::Binary) {
            let n = z.len() as f32;
            for (g, (&t, &z)) in gradient.into_iter().flatten().zip(t.iter().zip(z)) {
                *g += c / n * (sigmoid(z) - t);
            }
            let each = |(&t, &z): (&f32, &f32)| z.max(0.0) - z * t + (-z.abs()).exp().ln_1p();
            return t.iter().zip(z).map(each).sum::<f32>() / n;
        }
        let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        scratch.copy_from_slice(z);
        softmax_row(scratch);
        let log_sum = z.iter().map(|&z| (z - largest).exp()).sum::<f32>().ln() + largest;
        if let Form::Sparse(ignored) = self.form {
            if Some(t[0]) == ignored {
                return 0.0;
            }
            let class = class(t[0]);
            if let Some(gradient) = gradient {
                for (at, (g, &share)) in gradient.iter_mut().zip(scratch.iter()).enumerate() {
                    *g += c * (share - f32::from(u8::from(at == class)));
                }
            }
            return log_sum - z[class];
        }
        // TensorFlow's kernel takes the targets to sum to 1.
        for (g, (&t, &share)) in gradient.into_iter().flatten().zip(t.iter().zip(scratch.iter())) {
            *g += c * (share - t);
        }
        t.iter().zip(z).map(|(&t, &z)| t * (log_sum - z)).sum()
    }

    /// The prediction was said to be logits and no others are remembered.
    fn given_logits(
        &self,
        t: &[f32],
        z: &[f32],
        c: f32,
        gradient: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) -> f32 {
        match self.form {
            Form::BinaryFocal(..) => {
                let p: Vec<f32> = z.iter().map(|&z| sigmoid(z)).collect();
                let mut gp = vec![0.0; z.len()];
                let mut gz = vec![0.0; z.len()];
                let value = self.binary_focal(t, &p, Some(z), c, Some(&mut gp), Some(&mut gz));
                if let Some(gradient) = gradient {
                    for (at, g) in gradient.iter_mut().enumerate() {
                        *g += gz[at] + gp[at] * p[at] * (1.0 - p[at]);
                    }
                }
                value
            }
            Form::CategoricalFocal(..) => {
                scratch.copy_from_slice(z);
                softmax_row(scratch);
                let p = scratch.to_vec();
                let mut gp = vec![0.0; z.len()];
                let value = self.of_probabilities(t, &p, c, Some(&mut gp), scratch);
                if let Some(gradient) = gradient {
                    let dot: f32 = gp.iter().zip(&p).map(|(g, p)| g * p).sum();
                    for (at, g) in gradient.iter_mut().enumerate() {
                        *g += p[at] * (gp[at] - dot);
                    }
                }
                value
            }
            _ => self.of_logits(t, z, c, gradient, scratch),
        }
    }

    fn of_probabilities(
        &self,
        t: &[f32],
        p: &[f32],
        c: f32,
        gradient: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) -> f32 {
        let (low, high) = (EPSILON, 1.0 - EPSILON);
        let inside = |p: f32| (low..=high).contains(&p);
        match self.form {
            Form::Binary => {
                let n = p.len() as f32;
                for (g, (&t, &p)) in gradient.into_iter().flatten().zip(t.iter().zip(p)) {
                    if inside(p) {
                        *g += c / n * ((1.0 - t) / (1.0 - p) - t / p);
                    }
                }
                let each = |(&t, &p): (&f32, &f32)| {
                    let p = p.clamp(low, high);
                    -(t * p.ln() + (1.0 - t) * (1.0 - p).ln())
                };
                t.iter().zip(p).map(each).sum::<f32>() / n
            }
            Form::BinaryFocal(..) => self.binary_focal(t, p, None, c, gradient, None),
            Form::Sparse(ignored) => {
                if Some(t[0]) == ignored {
                    return 0.0;
                }
                let class = class(t[0]);
                let total: f32 = p.iter().map(|p| p.clamp(low, high)).sum();
                if let Some(gradient) = gradient {
                    for (at, (g, &p)) in gradient.iter_mut().zip(p).enumerate() {
                        if inside(p) {
                            *g += c * (1.0 / total - if at == class { 1.0 / p } else { 0.0 });
                        }
                    }
                }
                total.ln() - p[class].clamp(low, high).ln()
            }
            Form::Categorical | Form::CategoricalFocal(..) => {
                let sum: f32 = p.iter().sum();
                let mut loss = 0.0;
                // `scratch` becomes the gradient at the normalised probabilities.
                for ((slope, &p), &t) in scratch.iter_mut().zip(p).zip(t) {
                    let share = p / sum;
                    let q = share.clamp(low, high);
                    let (value, rise) = match self.form {
                        Form::CategoricalFocal(gamma, alpha) => {
                            let rest = 1.0 - q;
                            let value = -alpha * rest.powf(gamma) * t * q.ln();
                            let rise =
                                alpha * t * (gamma * rest.powf(gamma - 1.0) * q.ln() - rest.powf(gamma) / q);
                            (value, rise)
                        }
                        _ => (-t * q.ln(), -t / q),
                    };
                    loss += value;
                    *slope = if inside(share) { rise } else { 0.0 };
                }
                if let Some(gradient) = gradient {
                    let dot: f32 = scratch.iter().zip(p).map(|(slope, &p)| slope * p / sum).sum();
                    for (g, &slope) in gradient.iter_mut().zip(scratch.iter()) {
                        *g += c * (slope - dot) / sum;
                    }
                }
                loss
            }
            Form::Generalized(q) => {
                let class = class(t[0]);
                let share = p[class];
                if let Some(gradient) = gradient {
                    gradient[class] -= c * share.powf(q - 1.0);
                }
                (1.0 - share.powf(q)) / q
            }
        }
    }

    /// Binary focal loss: its factor comes from the prediction, its cross-entropy from the logits where there are some.
    fn binary_focal(
        &self,
        t: &[f32],
        p: &[f32],
        z: Option<&[f32]>,
        c: f32,
        mut gp: Option<&mut [f32]>,
        mut gz: Option<&mut [f32]>,
    ) -> f32 {
        let Form::BinaryFocal(gamma, alpha) = self.form else {
            return f32::NAN;
        };
        let n = p.len() as f32;
        let (low, high) = (EPSILON, 1.0 - EPSILON);
        let mut sum = 0.0;
        for at in 0..p.len() {
            let (t, p) = (t[at], p[at]);
            let weight = alpha.map_or(1.0, |alpha| t * alpha + (1.0 - t) * (1.0 - alpha));
            let right = t * p + (1.0 - t) * (1.0 - p);
            let factor = (1.0 - right).powf(gamma);
            let entropy = match z {
                Some(z) => z[at].max(0.0) - z[at] * t + (-z[at].abs()).exp().ln_1p(),
                None => {
                    let p = p.clamp(low, high);
                    -(t * p.ln() + (1.0 - t) * (1.0 - p).ln())
                }
            };
            sum += weight * factor * entropy;
            let scale = c / n * weight;
            if let Some(gp) = &mut gp {
                let mut slope = -gamma * (1.0 - right).powf(gamma - 1.0) * (2.0 * t - 1.0) * entropy;
                if z.is_none() && (low..=high).contains(&p) {
                    slope += factor * ((1.0 - t) / (1.0 - p) - t / p);
                }
                gp[at] += scale * slope;
            }
            if let (Some(gz), Some(z)) = (&mut gz, z) {
                gz[at] += scale * factor * (sigmoid(z[at]) - t);
            }
        }
        sum / n
    }
}

/// Labels were checked to lie within the classes.
fn class(label: f32) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let class = label.max(0.0) as usize;
    class
}
