//! # epochs-too-few (DL721)
//!
//! ## What it does
//! Reports a training that ends after a handful of steps, while its loss is still falling and its predictions are hardly
//! better than a constant.
//!
//! ## Why it matters
//! Five epochs of one batch are five steps: with the usual learning rates the weights have hardly left their random start.
//!
//! ## Example
//! ```python
//! model.fit(x, y, batch_size=len(x), epochs=5)
//! ```
//!
//! ## Use instead
//! ```python
//! model.fit(x, y, batch_size=len(x), epochs=500)
//! ```
//!
//! ## Fix safety
//! Unsafe: training takes longer.
//!
//! ## References
//! Humbatova et al., "Taxonomy of real faults in deep learning systems" (ICSE 2020), suboptimal number of epochs. Fewer than
//! 200 steps in all (our measurement: the quickest of our healthy twins needs about that many).

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, suspects};
use crate::case::Case;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL721",
    name: "epochs-too-few",
    kind: Kind::Epochs,
    severity: Severity::Warning,
    source: include_str!("epochs_too_few.rs"),
};
/// Steps below which a training is a handful.
const STEPS: u64 = 200;
/// Steps below which no network gets anywhere.
const FEWEST: u64 = 20;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let learning = case.learning();
    if !suspects::unfinished(case, STEPS) {
        return Vec::new();
    }
    // Known to be learnable, or too few for any network.
    let sure = learning.behind() || case.steps < FEWEST;
    let falling = learning.loss.is_some_and(|loss| loss.falls());
    let (done, planned) = (case.fit.epochs.len() as u64, case.fit.info.epochs.unwrap_or(0));
    let stopped = sure && done > 0 && 2 * done <= planned;
    let (place, message) = if stopped {
        let message = format!(
            "a callback ends the training after {done} of {planned} epochs ({} steps), before the network has learned; give it more \
             patience, or a smaller `min_delta`",
            case.steps
        );
        (Place::EarlyStopping, message)
    } else {
        let message = format!(
            "training ends after {} steps in all, before the network has learned; give it more epochs, or smaller batches",
            case.steps
        );
        (Place::FitArgument("epochs"), message)
    };
    let confidence = match (stopped, sure, falling) {
        (true, ..) => 0.92,
        (_, true, _) => 0.68,
        (_, _, true) => 0.65,
        _ => 0.5,
    };
    vec![
        Cause::new(&INFO, place, confidence, message)
            .severity(if sure || falling { Severity::Warning } else { Severity::Information })
            .seen(Phase::Metric, suspects::stuck_text(case)),
    ]
}
