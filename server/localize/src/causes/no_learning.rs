//! # no-learning (DL722)
//!
//! ## What it does
//! Reports a training whose predictions stay a constant and whose loss does not fall, or that stays far behind simple models on
//! the same data, when no cause could be shown.
//!
//! ## Why it matters
//! The network answers the same whatever it is shown. More of the same training rarely helps.
//!
//! ## Example
//! ```python
//! model.fit(x, y, epochs=100)      # loss 0.693 at the start and at the end
//! ```
//!
//! ## Use instead
//! Check, in this order: are the labels really aligned with the features; can the model fit ten samples; does the loss fit
//! the output activation; is the learning rate within a decade of the default.
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! DeepLocalize (ICSE 2021), Algorithm 1: Model Does not Learn — there when two values are equal, here by slope against
//! noise and against the best constant prediction.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, suspects};
use crate::case::Case;
use crate::learning::State;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL722",
    name: "no-learning",
    kind: Kind::Epochs,
    severity: Severity::Warning,
    source: include_str!("no_learning.rs"),
};
/// Steps of a network that was given a chance.
const STEPS: u64 = 100;
/// Drop of the loss below which it has not fallen for practical purposes (TheDeepChecker: 5 %).
const FALL: f64 = 0.05;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let learning = case.learning();
    if !case.fails() {
        return Vec::new();
    }
    // Varying predictions without any success may be noise in the labels: a fault of nobody.
    // After a handful of steps neither says much.
    let certain = learning.constant || (learning.behind() && learning.state() != State::Improving);
    let severity = if certain && case.steps >= STEPS {
        Severity::Warning
    } else {
        Severity::Information
    };
    let falls = learning
        .loss
        .is_some_and(|loss| loss.falls() && loss.relative_drop() > FALL);
    let seen = match learning.state() {
        State::Behind => "the network hardly learns: a simple model does much better on the same data",
        _ if falls => "the network does not learn: its predictions are no better than a constant, though the loss falls",
        _ => "the network does not learn: its predictions are no better than a constant and the loss does not fall",
    };
    let message = format!(
        "{seen}; check that labels belong to features, that ten samples can be fitted, and that loss and output match"
    );
    vec![
        Cause::new(&INFO, Place::FitArgument("epochs"), 0.4, message)
            .severity(severity)
            .seen(Phase::Metric, suspects::stuck_text(case)),
    ]
}
