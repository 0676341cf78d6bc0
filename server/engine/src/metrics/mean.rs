//! Metrics that are a mean over the samples.

use super::Measure;
use crate::config::Config;
use crate::losses::{self, EPSILON, Kind, Loss, Pair, Reduction};
use crate::{EngineError, Unsupported, View};

#[derive(Clone, Debug, PartialEq)]
enum What {
    /// The value of a loss.
    Loss(Loss),
    /// Its square root in the end.
    Root(Loss),
    /// Of the angle, not its negative.
    Cosine,
    Equal,
    /// With the threshold.
    Binary(f32),
    Categorical,
    Sparse,
    /// With k.
    TopK(usize),
    /// With k.
    SparseTopK(usize),
    /// Correlation over the outputs of a row; whether that of concordance.
    Correlation(bool),
}

struct Mean {
    what: What,
    total: f64,
    count: f64,
}

pub(super) fn read(name: &str, config: Config<'_>) -> Result<Option<Box<dyn Measure>>, Unsupported> {
    let what = match name {
        "accuracy_exact" | "Accuracy" => What::Equal,
        "accuracy" => What::Equal,
        "binary_accuracy" => What::Binary(config.f32("threshold", 0.5)?),
        "categorical_accuracy" => What::Categorical,
        "sparse_categorical_accuracy" => What::Sparse,
        "top_k_categorical_accuracy" => What::TopK(config.opt_size("k")?.unwrap_or(5)),
        "sparse_top_k_categorical_accuracy" => What::SparseTopK(config.opt_size("k")?.unwrap_or(5)),
        "cosine_similarity" => {
            config.only("axis", &[(-1).into()])?;
            What::Cosine
        }
        "pearson_correlation" | "concordance_correlation" => {
            config.only("axis", &[(-1).into()])?;
            What::Correlation(name == "concordance_correlation")
        }
        "root_mean_squared_error" => What::Root(loss("mean_squared_error", config)?),
        "log_cosh_error" => What::Loss(loss("log_cosh", config)?),
        "dice" | "tversky" | "huber" => return Ok(None),
        _ => match losses::kind(name, config, true)? {
            Some(kind) => What::Loss(of(kind)),
            None => return Ok(None),
        },
    };
    Ok(Some(Box::new(Mean {
        what,
        total: 0.0,
        count: 0.0,
    })))
}

fn of(kind: Kind) -> Loss {
    Loss {
        name: String::new(),
        kind,
        reduction: Reduction::Mean,
    }
}

fn loss(name: &str, config: Config<'_>) -> Result<Loss, Unsupported> {
    let kind = losses::kind(name, config, true)?;
    kind.map(of).ok_or_else(|| Unsupported::new(config.place, name))
}

pub(super) fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (at, &value) in row.iter().enumerate() {
        if value > row[best] {
            best = at;
        }
    }
    best
}

/// Whether the class is among the k largest; a NaN or a class that does not exist never is.
fn in_top(row: &[f32], class: usize, k: usize) -> bool {
    let Some(&own) = row.get(class) else {
        return false;
    };
    own.is_finite() && row.iter().filter(|&&value| value > own).count() < k
}

/// Pearson's, or the concordance correlation as Keras computes it: about the mean of the predictions alone.
fn correlation(t: &[f32], p: &[f32], concordance: bool) -> f32 {
    let count = t.len() as f32;
    let mean = |x: &[f32]| x.iter().sum::<f32>() / count;
    let (of_t, of_p) = (mean(t), mean(p));
    let variance = |x: &[f32], mean: f32| x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
    let (wide, high) = (variance(t, of_t), variance(p, of_p));
    let about = if concordance { of_p } else { of_t };
    let both: f32 = t.iter().zip(p).map(|(t, p)| (t - about) * (p - of_p)).sum();
    if concordance {
        2.0 * both / count / (wide + high + (of_t - of_p).powi(2) + EPSILON)
    } else {
        both / count / (wide.sqrt() * high.sqrt())
    }
}

impl What {
    fn values(&self, pair: Pair<'_>, values: &mut Vec<f32>) -> Result<(), EngineError> {
        let size = pair.prediction.last().max(1);
        let rows = pair.prediction.len() / size;
        let each = |hit: bool| f32::from(u8::from(hit));
        let (t, p) = (pair.target.data, pair.prediction.data());
        let bad = || {
            EngineError::shape(
                "metric",
                format!(
                    "targets of shape {:?} for predictions of shape {:?}",
                    pair.target.shape,
                    pair.prediction.shape()
                ),
            )
        };
        match self {
            What::Loss(loss) => {
                loss.values(pair, values)?;
            }
            What::Root(_) => {
                // Squares of the elements; Keras takes the mean of these.
                let loss = loss(
                    "mean_squared_error",
                    Config::new("metric", &serde_json::Value::Null),
                );
                loss.map_err(|_| bad())?.values(pair, values)?;
            }
            What::Cosine => {
                if t.len() != p.len() {
                    return Err(bad());
                }
                for (t, p) in t.chunks(size).zip(p.chunks(size)) {
                    let norm = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().max(EPSILON * EPSILON).sqrt();
                    let dot: f32 = t.iter().zip(p).map(|(t, p)| t * p).sum();
                    values.push(dot / (norm(t) * norm(p)));
                }
            }
            What::Correlation(concordance) => {
                if t.len() != p.len() {
                    return Err(bad());
                }
                for (t, p) in t.chunks(size).zip(p.chunks(size)) {
                    values.push(correlation(t, p, *concordance));
                }
            }
            What::Equal | What::Binary(_) => {
                let given = t.len() / rows.max(1);
                if given * rows != t.len() || (given != size && given != 1) {
                    return Err(bad());
                }
                for row in 0..rows {
                    let hit = |at: usize| {
                        let (t, p) = (
                            t[row * given + if given == 1 { 0 } else { at }],
                            p[row * size + at],
                        );
                        match self {
                            What::Binary(threshold) => f32::from(u8::from(p > *threshold)) == t,
                            _ => p == t,
                        }
                    };
                    let hits = (0..size).filter(|&at| hit(at)).count();
                    values.push(hits as f32 / size as f32);
                }
            }
            What::Categorical | What::TopK(_) => {
                if t.len() != p.len() {
                    return Err(bad());
                }
                for (t, p) in t.chunks(size).zip(p.chunks(size)) {
                    values.push(each(match self {
                        What::TopK(k) => in_top(p, argmax(t), *k),
                        _ => argmax(t) == argmax(p),
                    }));
                }
            }
            What::Sparse | What::SparseTopK(_) => {
                if t.len() != rows {
                    return Err(bad());
                }
                for (&t, p) in t.iter().zip(p.chunks(size)) {
                    values.push(each(match self {
                        What::SparseTopK(k) => t >= 0.0 && in_top(p, t as usize, *k),
                        _ => argmax(p) as f32 == t,
                    }));
                }
            }
        }
        Ok(())
    }
}

impl Measure for Mean {
    fn update(
        &mut self,
        pair: Pair<'_>,
        weights: Option<View<'_>>,
        mask: Option<View<'_>>,
    ) -> Result<(), EngineError> {
        let mut values = Vec::new();
        self.what.values(pair, &mut values)?;
        let shape = pair.prediction.shape();
        let shape = &shape[..shape.len().saturating_sub(1)];
        let samples = shape.first().copied().unwrap_or(1).max(1);
        let each = (values.len() / samples).max(1) as f64;
        if weights.is_none() && mask.is_none() {
            self.total += values.iter().map(|&value| f64::from(value)).sum::<f64>() / each;
            self.count += values.len() as f64 / each;
            return Ok(());
        }
        let mut factors = vec![1.0_f32; values.len()];
        for given in [weights, mask].into_iter().flatten() {
            // Fewer axes than the values: the same for all further axes.
            let mut own = given.shape.to_vec();
            while own.len() > shape.len() && own.last() == Some(&1) {
                own.pop();
            }
            own.resize(shape.len().max(own.len()), 1);
            let wide = losses::broadcast(
                View {
                    shape: &own,
                    data: given.data,
                },
                shape,
            )?;
            factors
                .iter_mut()
                .zip(wide)
                .for_each(|(factor, weight)| *factor *= weight);
        }
        for (&value, &factor) in values.iter().zip(&factors) {
            if factor != 0.0 {
                self.total += f64::from(value) * f64::from(factor) / each;
            }
            self.count += f64::from(factor) / each;
        }
        Ok(())
    }

    fn result(&self) -> f64 {
        let mean = if self.count == 0.0 {
            0.0
        } else {
            self.total / self.count
        };
        match self.what {
            What::Root(_) => mean.sqrt(),
            _ => mean,
        }
    }

    fn reset(&mut self) {
        (self.total, self.count) = (0.0, 0.0);
    }
}
