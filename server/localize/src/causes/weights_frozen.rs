//! # weights-frozen (DL718)
//!
//! ## What it does
//! Reports a training in which no weight may change.
//!
//! ## Why it matters
//! `trainable = False` on every layer (or on the model) leaves the optimizer nothing to do: `fit` runs, and the weights
//! stay at their random start.
//!
//! ## Example
//! ```python
//! for layer in model.layers:
//!     layer.trainable = False
//! model.compile(...)
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! for layer in base.layers:      # not those of the new head
//!     layer.trainable = False
//! ```
//!
//! ## Fix safety
//! No automatic fix: which layers are to learn is a decision.
//!
//! ## References
//! AUTOTRAINER and SageMaker Debugger (unchanged tensor). Exact: no trainable weight, or every update 0.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::Cause;
use crate::case::Case;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL718",
    name: "weights-frozen",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("weights_frozen.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let held = case.layers().iter().filter(|layer| !layer.weights.is_empty()).count();
    let free = case.weighted().count();
    if held == 0 || free > 0 || case.fit.steps == 0 || case.fit.info.loss.is_none() {
        return Vec::new();
    }
    let message = format!(
        "none of the {held} layers with weights is trainable, so training changes nothing; leave those that are to learn \
         trainable before `compile`"
    );
    vec![
        Cause::new(&INFO, Place::Frozen, 0.93, message)
            .seen(Phase::Update, format!("no weight is trainable; loss {}", case.loss_story()))
            .settled(),
    ]
}
