//! Metrics from right and wrong answers at thresholds.

use serde_json::Value;

use super::Measure;
use crate::config::Config;
use crate::losses::{EPSILON, Pair};
use crate::{EngineError, Unsupported, View};

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    TruePositives,
    TrueNegatives,
    FalsePositives,
    FalseNegatives,
    Precision,
    Recall,
    Roc,
    PrecisionRecall,
    /// The best of one share where another is at least that large.
    Best(Share, Share, f64),
}

/// A share of right answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Precision,
    /// Also called sensitivity.
    Recall,
    Specificity,
}

fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

impl Share {
    fn of(self, [tp, fp, tn, fal]: [f64; 4]) -> f64 {
        match self {
            Share::Precision => share(tp, tp + fp),
            Share::Recall => share(tp, tp + fal),
            Share::Specificity => share(tn, tn + fp),
        }
    }
}

struct Confusion {
    what: What,
    thresholds: Vec<f32>,
    from_logits: bool,
    /// The only class that counts.
    class: Option<usize>,
    /// True and false positives, true and false negatives by threshold.
    counts: Vec<[f64; 4]>,
}

pub(super) fn read(name: &str, config: Config<'_>) -> Result<Option<Box<dyn Measure>>, Unsupported> {
    let what = match name {
        "true_positives" => What::TruePositives,
        "true_negatives" => What::TrueNegatives,
        "false_positives" => What::FalsePositives,
        "false_negatives" => What::FalseNegatives,
        "precision" => What::Precision,
        "recall" => What::Recall,
        "auc" => match config.text("curve", "ROC")? {
            "ROC" | "roc" => What::Roc,
            "PR" | "pr" => What::PrecisionRecall,
            _ => return Err(config.not("curve")),
        },
        "precision_at_recall" => best(config, "recall", (Share::Precision, Share::Recall))?,
        "recall_at_precision" => best(config, "precision", (Share::Recall, Share::Precision))?,
        "sensitivity_at_specificity" => best(config, "specificity", (Share::Recall, Share::Specificity))?,
        "specificity_at_sensitivity" => best(config, "sensitivity", (Share::Specificity, Share::Recall))?,
        _ => return Ok(None),
    };
    for key in ["top_k", "num_labels", "label_weights"] {
        config.only(key, &[])?;
    }
    let class = match config.get("class_id") {
        None => None,
        Some(class) => Some(
            class
                .as_u64()
                .and_then(|class| usize::try_from(class).ok())
                .ok_or_else(|| config.not("class_id"))?,
        ),
    };
    let area = matches!(what, What::Roc | What::PrecisionRecall);
    let thresholds = if matches!(what, What::Best(..)) {
        match config.opt_size("num_thresholds")?.unwrap_or(200) {
            1 => vec![0.5],
            count => {
                let last = (count.min(100_000) - 1) as f32;
                (0..count.min(100_000)).map(|at| at as f32 / last).collect()
            }
        }
    } else if area {
        config.only("multi_label", &[Value::Bool(false)])?;
        config.only("summation_method", &["interpolation".into()])?;
        config.only("thresholds", &[])?;
        let count = config
            .opt_size("num_thresholds")?
            .unwrap_or(200)
            .clamp(2, 100_000);
        let inner = (1..count - 1).map(|at| at as f32 / (count - 1) as f32);
        std::iter::once(-EPSILON)
            .chain(inner)
            .chain([1.0 + EPSILON])
            .collect()
    } else {
        match config.get("thresholds") {
            None => vec![0.5],
            Some(Value::Array(one)) if one.len() == 1 => {
                vec![one[0].as_f64().ok_or_else(|| config.not("thresholds"))? as f32]
            }
            Some(value) => vec![value.as_f64().ok_or_else(|| config.not("thresholds"))? as f32],
        }
    };
    Ok(Some(Box::new(Confusion {
        what,
        counts: vec![[0.0; 4]; thresholds.len()],
        thresholds,
        from_logits: config.flag("from_logits", false)?,
        class,
    })))
}

/// The best of the first share under a condition on the second.
fn best(config: Config<'_>, least: &str, (of, under): (Share, Share)) -> Result<What, Unsupported> {
    let least = config.opt_number(least)?.ok_or_else(|| config.not(least))?;
    Ok(What::Best(of, under, least))
}

impl Measure for Confusion {
    fn update(
        &mut self,
        pair: Pair<'_>,
        weights: Option<View<'_>>,
        _: Option<View<'_>>,
    ) -> Result<(), EngineError> {
        let (t, p) = (pair.target.data, pair.prediction.data());
        if t.len() != p.len() {
            return Err(EngineError::shape(
                "metric",
                format!(
                    "targets of shape {:?} for predictions of shape {:?}",
                    pair.target.shape,
                    pair.prediction.shape()
                ),
            ));
        }
        let each = pair.prediction.len() / pair.prediction.dim(0).max(1);
        let last = pair.prediction.last().max(1);
        for (at, (&t, &p)) in t.iter().zip(p).enumerate() {
            if self.class.is_some_and(|class| at % last != class) {
                continue;
            }
            let weight = match weights {
                Some(weights) if weights.data.len() == t_len(pair) => weights.data[at],
                Some(weights) => weights.data.get(at / each.max(1)).copied().unwrap_or(1.0),
                None => 1.0,
            };
            let p = if self.from_logits {
                crate::functions::sigmoid(p)
            } else {
                p
            };
            for (&threshold, counts) in self.thresholds.iter().zip(&mut self.counts) {
                let place = match (t != 0.0, p > threshold) {
                    (true, true) => 0,
                    (false, true) => 1,
                    (false, false) => 2,
                    (true, false) => 3,
                };
                counts[place] += f64::from(weight);
            }
        }
        Ok(())
    }

    fn result(&self) -> f64 {
        let first = self.counts.first().copied().unwrap_or_default();
        let [tp, fp, tn, fal] = first;
        match self.what {
            What::TruePositives => tp,
            What::FalsePositives => fp,
            What::TrueNegatives => tn,
            What::FalseNegatives => fal,
            What::Precision => Share::Precision.of(first),
            What::Recall => Share::Recall.of(first),
            What::Best(of, under, least) => {
                // Keras compares in single precision.
                let allowed = |counts: &&[f64; 4]| under.of(**counts) as f32 >= least as f32;
                let values = self.counts.iter().filter(allowed).map(|&counts| of.of(counts));
                values.fold(0.0, f64::max)
            }
            What::Roc => {
                let point = |[tp, fp, tn, fal]: [f64; 4]| (share(fp, fp + tn), share(tp, tp + fal));
                self.counts
                    .windows(2)
                    .map(|two| {
                        let ((x, y), (next_x, next_y)) = (point(two[0]), point(two[1]));
                        (x - next_x) * (y + next_y) / 2.0
                    })
                    .sum()
            }
            What::PrecisionRecall => self.area_under_precision(),
        }
    }

    fn reset(&mut self) {
        self.counts.fill([0.0; 4]);
    }
}

fn t_len(pair: Pair<'_>) -> usize {
    pair.target.data.len()
}

impl Confusion {
    /// Interpolated between the thresholds as Davis and Goadrich (2006) and Keras do.
    fn area_under_precision(&self) -> f64 {
        self.counts
            .windows(2)
            .map(|two| {
                let ([tp, fp, _, _], [next_tp, next_fp, _, next_fn]) = (two[0], two[1]);
                let (dtp, positives) = (tp - next_tp, tp + fp);
                let next = next_tp + next_fp;
                let slope = share(dtp, (positives - next).max(0.0));
                let intercept = next_tp - slope * next;
                let ratio = if positives > 0.0 && next > 0.0 {
                    share(positives, next.max(0.0))
                } else {
                    1.0
                };
                share(
                    slope * (dtp + intercept * ratio.ln()),
                    (next_tp + next_fn).max(0.0),
                )
            })
            .sum()
    }
}
