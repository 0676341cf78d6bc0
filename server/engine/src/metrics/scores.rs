//! Scores from sums over all samples: F-scores and the coefficient of determination.

use super::Measure;
use crate::config::Config;
use crate::losses::{EPSILON, Pair};
use crate::{EngineError, Unsupported, View};

pub(super) fn read(name: &str, config: Config<'_>) -> Result<Option<Box<dyn Measure>>, Unsupported> {
    Ok(match name {
        "f1_score" => Some(Box::new(f_score(config, 1.0)?)),
        "f_beta_score" => Some(Box::new(f_score(config, config.number("beta", 1.0)?)?)),
        "r2_score" => Some(Box::new(determination(config)?)),
        _ => None,
    })
}

/// How the scores of the classes become one number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Average {
    /// From counts over all classes.
    Micro,
    Macro,
    /// By how often a class is the target.
    Weighted,
}

struct FScore {
    average: Average,
    beta: f64,
    threshold: Option<f32>,
    /// True positives, false positives, false negatives and targets of each class.
    counts: Vec<[f64; 4]>,
}

fn f_score(config: Config<'_>, beta: f64) -> Result<FScore, Unsupported> {
    Ok(FScore {
        average: match config.text("average", "none")? {
            "micro" => Average::Micro,
            "macro" => Average::Macro,
            "weighted" => Average::Weighted,
            // One number for each class is no number for the logs.
            _ => return Err(config.not("average")),
        },
        beta,
        threshold: match config.opt_number("threshold")? {
            Some(_) => Some(config.f32("threshold", 0.5)?),
            None => None,
        },
        counts: Vec::new(),
    })
}

/// Rows of targets and predictions of equal shape, each with its weight.
fn rows<'a>(
    pair: Pair<'a>,
    weights: Option<View<'a>>,
) -> Result<impl Iterator<Item = (&'a [f32], &'a [f32], f64)>, EngineError> {
    let size = pair.prediction.last().max(1);
    let count = pair.prediction.len() / size;
    let fits = weights.is_none_or(|weights| weights.data.len() == count);
    if pair.target.data.len() != pair.prediction.len() || pair.prediction.rank() != 2 || !fits {
        return Err(EngineError::shape(
            "metric",
            format!(
                "targets of shape {:?} for predictions of shape {:?}",
                pair.target.shape,
                pair.prediction.shape()
            ),
        ));
    }
    let both = pair
        .target
        .data
        .chunks(size)
        .zip(pair.prediction.data().chunks(size));
    Ok(both.enumerate().map(move |(row, (target, prediction))| {
        let weight = weights.map_or(1.0, |weights| f64::from(weights.data[row]));
        (target, prediction, weight)
    }))
}

impl Measure for FScore {
    fn update(
        &mut self,
        pair: Pair<'_>,
        weights: Option<View<'_>>,
        _: Option<View<'_>>,
    ) -> Result<(), EngineError> {
        self.counts.resize(pair.prediction.last(), [0.0; 4]);
        for (target, prediction, weight) in rows(pair, weights)? {
            let most = prediction.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for ((counts, &t), &p) in self.counts.iter_mut().zip(target).zip(prediction) {
                let hit = match self.threshold {
                    Some(threshold) => p > threshold,
                    None => p >= most && p.abs() > 1e-9,
                };
                let (t, p) = (f64::from(t), f64::from(u8::from(hit)));
                let add = [p * t, p * (1.0 - t), (1.0 - p) * t, t];
                counts
                    .iter_mut()
                    .zip(add)
                    .for_each(|(count, add)| *count += weight * add);
            }
        }
        Ok(())
    }

    fn result(&self) -> f64 {
        let epsilon = f64::from(EPSILON);
        let score = |&[hits, wrong, missed, _]: &[f64; 4]| {
            let precision = hits / (hits + wrong + epsilon);
            let recall = hits / (hits + missed + epsilon);
            let square = self.beta * self.beta;
            (1.0 + square) * (precision * recall / (square * precision + recall + epsilon))
        };
        let of_all = |at: usize| self.counts.iter().map(|counts| counts[at]).sum::<f64>();
        match self.average {
            Average::Micro => score(&[of_all(0), of_all(1), of_all(2), of_all(3)]),
            Average::Macro => self.counts.iter().map(score).sum::<f64>() / self.counts.len().max(1) as f64,
            Average::Weighted => {
                let total = of_all(3) + epsilon;
                self.counts
                    .iter()
                    .map(|counts| score(counts) * counts[3] / total)
                    .sum()
            }
        }
    }

    fn reset(&mut self) {
        self.counts.clear();
    }
}

/// The coefficient of determination.
struct Determination {
    /// Whether outputs count by their variance, not alike.
    by_variance: bool,
    /// Of each output: sums of targets, of their squares, of squared errors, of weights.
    sums: Vec<[f64; 4]>,
}

fn determination(config: Config<'_>) -> Result<Determination, Unsupported> {
    // Keras itself cannot adjust for them within a graph of TensorFlow.
    config.only("num_regressors", &[0.into()])?;
    Ok(Determination {
        by_variance: match config.text("class_aggregation", "uniform_average")? {
            "uniform_average" => false,
            "variance_weighted_average" => true,
            _ => return Err(config.not("class_aggregation")),
        },
        sums: Vec::new(),
    })
}

impl Measure for Determination {
    fn update(
        &mut self,
        pair: Pair<'_>,
        weights: Option<View<'_>>,
        _: Option<View<'_>>,
    ) -> Result<(), EngineError> {
        self.sums.resize(pair.prediction.last(), [0.0; 4]);
        for (target, prediction, weight) in rows(pair, weights)? {
            for ((sums, &t), &p) in self.sums.iter_mut().zip(target).zip(prediction) {
                let (t, p) = (f64::from(t), f64::from(p));
                let add = [t, t * t, (t - p).powi(2), 1.0];
                sums.iter_mut()
                    .zip(add)
                    .for_each(|(sum, add)| *sum += weight * add);
            }
        }
        Ok(())
    }

    fn result(&self) -> f64 {
        let each = self.sums.iter().map(|&[sum, squares, errors, count]| {
            let total = squares - sum * (sum / count);
            let score = 1.0 - errors / total;
            (total, if score.is_infinite() { 0.0 } else { score })
        });
        if self.by_variance {
            let (weighted, whole) = each.fold((0.0, 0.0), |sums, (total, score)| {
                (sums.0 + total * score, sums.1 + total)
            });
            weighted / whole
        } else {
            each.map(|(_, score)| score).sum::<f64>() / self.sums.len() as f64
        }
    }

    fn reset(&mut self) {
        self.sums.clear();
    }
}
