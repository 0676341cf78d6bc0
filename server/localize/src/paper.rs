//! # deeplocalize-algorithm (DL801)
//!
//! ## What it does
//! Reports the first alarm of the algorithm that the paper gives, when it is selected with `--detector deeplocalize`.
//!
//! ## Why it matters
//! It shows what the published tool would say of the same run, false alarms included: it looks at the mean of whole tensors,
//! which for a softmax is 1 divided by the number of classes on every batch of every healthy classifier.
//!
//! At every batch, in this order: each layer from the first to the last, the value before the activation (*Error Before
//! Activation*), then after it (*Error After Activation*); a loss that is NaN or infinite (*Error in Loss Function*); an
//! accuracy that is NaN, infinite or 0 (*Error in Accuracy Function*); a loss that has not decreased and an accuracy that has
//! not increased over the last N batches (*Model Does not Learn*); each layer from the last to the first, the gradient of its
//! weights (*Error Backward in ΔWeight*), then the weights (*Error Backward in Weight*). A tensor is anomalous when it holds
//! NaN or infinity, when its mean has been 0 in at least `threshold` of the training's iterations, or when its last N means
//! are all equal. N = 50 and threshold = ¼, as in the paper; the released callback uses 5 and ½.
//!
//! ## Example
//! ```console
//! $ deeplocalize run train.py --detector deeplocalize --deeplocalize-n 50 --deeplocalize-threshold 0.25
//! ```
//!
//! ## Use instead
//! The default detector.
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! Wardat, Le, Rajan: "DeepLocalize: Fault Localization for Deep Neural Networks", ICSE 2021, Algorithm 1.

use std::collections::BTreeMap;

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{Fit, Moment, Scalar, Series, Stat, Tensor};

use crate::causes::Cause;
use crate::place::Place;
use crate::text::number;

const INFO: RuleInfo = RuleInfo {
    code: "DL801",
    name: "deeplocalize-algorithm",
    kind: Kind::HiddenActivation,
    severity: Severity::Error,
    source: include_str!("paper.rs"),
};

pub(crate) const ALL: [&RuleInfo; 1] = [&INFO];

/// What has to be remembered of one tensor between batches.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    zeros: u64,
    last: f64,
    equal: usize,
}

/// The algorithm, fed batch by batch.
#[derive(Clone, Debug)]
pub(crate) struct Paper {
    n: usize,
    threshold: f64,
    tensors: BTreeMap<(usize, Tensor), Memory>,
    losses: Vec<f64>,
    accuracies: Vec<f64>,
    seen: Option<u64>,
    alarm: Option<Cause>,
}

impl Paper {
    pub fn new(n: usize, threshold: f64) -> Self {
        Paper {
            n: n.max(2),
            threshold,
            tensors: BTreeMap::new(),
            losses: Vec::new(),
            accuracies: Vec::new(),
            seen: None,
            alarm: None,
        }
    }

    pub fn alarm(&self) -> Option<&Cause> {
        self.alarm.as_ref()
    }

    /// Looks at the latest batch, unless it was looked at before. The first alarm is kept, as in the paper.
    pub fn observe(&mut self, fit: &Fit) {
        let Some(moment) = fit.scalars().moments().last().copied() else {
            return;
        };
        if self.alarm.is_some() || self.seen == Some(moment.step) {
            return;
        }
        self.seen = Some(moment.step);
        let planned = fit
            .info
            .epochs
            .zip(fit.info.steps_per_epoch)
            .map_or(fit.steps, |(epochs, steps)| epochs * steps);
        let zeros_allowed = (self.threshold * planned as f64).max(1.0);
        self.alarm = self
            .forward(fit, moment, zeros_allowed)
            .or_else(|| self.loss_and_accuracy(fit, moment))
            .or_else(|| self.backward(fit, moment, zeros_allowed));
    }

    fn forward(&mut self, fit: &Fit, moment: Moment, zeros: f64) -> Option<Cause> {
        for layer in &fit.info.layers {
            for (tensor, name) in [
                (Tensor::V1, "Error Before Activation"),
                (Tensor::V2, "Error After Activation"),
            ] {
                if let Some(why) = self.anomaly(fit, layer.index, tensor, moment, zeros) {
                    let place = Place::Activation(layer.index);
                    return Some(
                        alarm(name, &layer.name, &why, place, Phase::Forward, moment).layer(layer.index),
                    );
                }
            }
        }
        None
    }

    fn backward(&mut self, fit: &Fit, moment: Moment, zeros: f64) -> Option<Cause> {
        for layer in fit.info.layers.iter().rev() {
            for (tensor, name) in [
                (Tensor::Dw, "Error Backward in ΔWeight"),
                (Tensor::W, "Error Backward in Weight"),
            ] {
                if let Some(why) = self.anomaly(fit, layer.index, tensor, moment, zeros) {
                    let place = Place::Activation(layer.index);
                    return Some(
                        alarm(name, &layer.name, &why, place, Phase::Backward, moment).layer(layer.index),
                    );
                }
            }
        }
        None
    }

    fn loss_and_accuracy(&mut self, fit: &Fit, moment: Moment) -> Option<Cause> {
        let loss = fit.scalar(Scalar::Loss).last().copied().unwrap_or(f64::NAN);
        if !loss.is_finite() {
            let why = format!("the loss is {}", number(loss));
            return Some(
                alarm(
                    "Error in Loss Function",
                    "the loss",
                    &why,
                    Place::Loss,
                    Phase::Loss,
                    moment,
                )
                .kind(Kind::Loss),
            );
        }
        let accuracy = fit
            .metrics()
            .find(|(name, _)| name.contains("acc"))
            .and_then(|(_, history)| history.column(0).last().copied());
        if let Some(accuracy) = accuracy.filter(|accuracy| !accuracy.is_finite() || *accuracy == 0.0) {
            let why = format!("the accuracy is {}", number(accuracy));
            let alarm = alarm(
                "Error in Accuracy Function",
                "the accuracy",
                &why,
                Place::Metrics,
                Phase::Metric,
                moment,
            );
            return Some(alarm.kind(Kind::Metric));
        }
        push(&mut self.losses, loss, self.n);
        push(&mut self.accuracies, accuracy.unwrap_or(f64::NAN), self.n);
        let ends = |values: &[f64]| values.first().copied().zip(values.last().copied());
        if self.losses.len() < self.n {
            return None;
        }
        let (first, last) = ends(&self.losses)?;
        let (accuracy_first, accuracy_last) = ends(&self.accuracies)?;
        // Without an accuracy only the loss can be asked.
        let rising = accuracy_last > accuracy_first;
        if last >= first && !rising {
            let why = format!(
                "over {} batches the loss went from {} to {}",
                self.n,
                number(first),
                number(last)
            );
            let place = Place::FitArgument("epochs");
            return Some(
                alarm(
                    "Model Does not Learn",
                    "the model",
                    &why,
                    place,
                    Phase::Loss,
                    moment,
                )
                .kind(Kind::Epochs),
            );
        }
        None
    }

    fn anomaly(
        &mut self,
        fit: &Fit,
        layer: usize,
        tensor: Tensor,
        moment: Moment,
        zeros: f64,
    ) -> Option<String> {
        let series: &Series = fit.series(layer, tensor)?;
        if series.history().moments().last() != Some(&moment) {
            return None;
        }
        let last = |stat: Stat| series.last(stat).unwrap_or(f64::NAN);
        if last(Stat::Nans) + last(Stat::Infs) > 0.0 {
            return Some("it holds NaN or infinity".to_owned());
        }
        let mean = last(Stat::Mean);
        let memory = self.tensors.entry((layer, tensor)).or_default();
        memory.zeros += u64::from(mean == 0.0);
        memory.equal = if memory.equal > 0 && memory.last == mean {
            memory.equal + 1
        } else {
            1
        };
        memory.last = mean;
        if memory.zeros as f64 >= zeros && mean == 0.0 {
            return Some(format!("its mean has been 0 in {} batches", memory.zeros));
        }
        (memory.equal >= self.n).then(|| {
            format!(
                "its mean was {} in {} batches in a row",
                number(mean),
                memory.equal
            )
        })
    }
}

fn push(values: &mut Vec<f64>, value: f64, keep: usize) {
    values.push(value);
    if values.len() > keep {
        values.remove(0);
    }
}

fn alarm(name: &str, what: &str, why: &str, place: Place, phase: Phase, moment: Moment) -> Cause {
    // The published localisation rate is 21 of 40.
    Cause::new(&INFO, place, 0.5, format!("{name}, {what}: {why}"))
        .seen_at(moment, phase, None, format!("{what}: {why}"))
        .settled()
}
