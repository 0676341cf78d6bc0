//! # numerical-error (DL720)
//!
//! ## What it does
//! Reports the first place where training computes NaN or infinity, when neither the data, the learning rate nor a scale
//! explains it.
//!
//! ## Why it matters
//! From that step on the loss, every gradient and every weight are NaN; what was learned is lost.
//!
//! ## Example
//! ```python
//! def loss(y, p):
//!     return -keras.ops.mean(y * keras.ops.log(p))     # log(0) is minus infinity
//! ```
//!
//! ## Use instead
//! ```python
//! def loss(y, p):
//!     return -keras.ops.mean(y * keras.ops.log(p + 1e-7))
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! DeepLocalize (ICSE 2021), Algorithm 1: Error Before Activation, Error After Activation, Error in Loss Function;
//! DeepDiagnosis (ICSE 2022), numerical error.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::Tensor;

use super::Cause;
use super::suspects::{self, Failure};
use crate::case::Case;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL720",
    name: "numerical-error",
    kind: Kind::HiddenActivation,
    severity: Severity::Error,
    source: include_str!("numerical_error.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if suspects::failure(case) != Some(Failure::Diverges) {
        return Vec::new();
    }
    let broken = case.broken();
    let layer = broken.and_then(|broken| broken.layer).and_then(|index| case.layers().get(index));
    let forward = matches!(broken.and_then(|broken| broken.tensor), Some(Tensor::V1 | Tensor::V2));
    let mut cause = match layer.filter(|_| forward) {
        Some(layer) => {
            let message = format!(
                "the first value that is not a number comes out of {}; keep its values bounded (normalise, clip the gradient, or \
                 use another activation)",
                layer.name
            );
            let mut cause = Cause::new(&INFO, Place::Activation(layer.index), 0.6, message).layer(layer.index);
            if case.head().is_some_and(|head| head.index == layer.index) {
                cause.kind = Kind::OutputActivation;
            }
            cause
        }
        None => {
            let message = "the outputs are finite, but the loss or its gradient is not: the loss is not defined for them (a \
                           logarithm or division of 0?)";
            let mut cause = Cause::new(&INFO, Place::Loss, 0.6, message);
            cause.kind = Kind::Loss;
            cause
        }
    };
    if broken.is_none() {
        cause.message = "the loss grows without end; lower the learning rate or clip the gradient".into();
        cause.place = Place::LearningRate;
        cause.kind = Kind::LearningRate;
        cause.layer = None;
        cause = cause.severity(Severity::Warning).seen(Phase::Loss, format!("loss {}", case.loss_story()));
        return vec![cause];
    }
    vec![suspects::with_failure(case, Failure::Diverges, cause).settled()]
}
