//! # loss-rewards-error (DL709)
//!
//! ## What it does
//! Reports a loss that falls while the predictions move away from the labels.
//!
//! ## Why it matters
//! The optimizer does what the loss asks. A loss with the wrong sign, or with swapped or misread arguments, has no lower
//! bound: training runs towards ever larger errors.
//!
//! ## Example
//! ```python
//! def loss(y, p):
//!     return -ops.mean(ops.square(y - p))
//! ```
//!
//! ## Use instead
//! ```python
//! def loss(y, p):
//!     return ops.mean(ops.square(y - p))
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! Squared error of the predictions against the labels' variance, from the labels themselves: worse than twice the best
//! constant's and growing, while the loss falls by more than its noise (our measurement: healthy trainings whose loss
//! falls never exceed 1 after the first tenth).

use finding::{Kind, Phase, RuleInfo, Severity};

use super::Cause;
use crate::case::Case;
use crate::learning::Task;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL709",
    name: "loss-rewards-error",
    kind: Kind::Loss,
    severity: Severity::Error,
    source: include_str!("loss_falls_while_error_grows.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let learning = case.learning();
    let (Some(loss), Some((before, after))) = (learning.loss, case.error_growth()) else { return Vec::new() };
    let below = loss.last < 0.0 && loss.last < loss.first;
    if !below || !(after > 2.0 && after > 1.5 * before) || learning.task != Task::Regression {
        return Vec::new();
    }
    let message = format!(
        "the loss falls ({}) while the predictions move away from the labels (squared error {} → {} times their variance): the \
         loss rewards error; check its sign and the order of its arguments",
        case.loss_story(),
        number(before),
        number(after)
    );
    vec![Cause::new(&INFO, Place::Loss, 0.93, message).seen(Phase::Loss, format!("loss {}", case.loss_story())).settled()]
}
