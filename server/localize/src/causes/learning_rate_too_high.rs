//! # learning-rate-too-high (DL710)
//!
//! ## What it does
//! Reports a learning rate well above what the optimizer is used with, when training diverges, dies or stays stuck and
//! nothing else is further from usual.
//!
//! ## Why it matters
//! Each step jumps over the minimum it aims for. The loss grows until it is not a number, or one large step pushes all ReLU
//! units below zero, from where they get no gradient back.
//!
//! ## Example
//! ```python
//! model.compile(optimizer=SGD(learning_rate=3.0), loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! model.compile(optimizer=SGD(learning_rate=0.01), loss="mse")
//! ```
//!
//! ## Fix safety
//! Unsafe: a suggestion to start from, two decades lower at most.
//!
//! ## References
//! DL Contract (FSE 2023): 7e-7 … 1e-2; UMLAUT (CHI 2021): above 0.01; TheDeepChecker (TOSEM 2023): update ratio above
//! 0.1. Here: decades above Keras' default for the optimizer, plus half a decade when the first updates are larger than
//! half the weights they change.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::suspects::{self, Failure};
use super::{Cause, Remedy};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL710",
    name: "learning-rate-too-high",
    kind: Kind::LearningRate,
    severity: Severity::Error,
    source: include_str!("learning_rate_too_high.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(charge) = suspects::charge(case, |suspects| suspects.rate_high) else { return Vec::new() };
    let Some(optimizer) = &case.fit.info.optimizer else { return Vec::new() };
    let rate = optimizer.learning_rate;
    let usual = suspects::usual_rate(&optimizer.class);
    // On targets of that size a decade is rarely enough: a step's length grows with the error.
    let lower = usual.min(rate / if matches!(charge.failure, Failure::Stuck | Failure::Lags) { 10.0 } else { 100.0 });
    let effect = match charge.failure {
        Failure::Diverges => "the steps overshoot and training diverges",
        Failure::Stops => "the first steps overshoot so far that the units die, and nothing can bring them back",
        Failure::Stuck => "the steps overshoot and the network does not learn",
        Failure::Lags => "the steps overshoot and the network stays well behind what these data allow",
    };
    let message = format!(
        "learning rate {} is {} times {}'s default: {effect}; try {}",
        number(rate),
        number((rate / usual).round().max(1.0)),
        optimizer.class,
        number(lower)
    );
    let mut cause = Cause::new(&INFO, Place::LearningRate, charge.confidence.min(0.95), message).severity(charge.severity);
    cause = suspects::with_failure(case, charge.failure, cause);
    if let Some((layer, ratio)) = case.first_update_ratio().filter(|(_, ratio)| *ratio > 0.1) {
        cause = cause.seen(
            Phase::Update,
            format!("in the first steps an update of {} is {} times as large as the weights it changes", layer.name, number(ratio)),
        );
    }
    cause.settled = charge.settled;
    vec![cause.remedy(Remedy::Argument {
        title: format!("Use learning rate {}", number(lower)),
        keyword: "learning_rate",
        text: number(lower),
    })]
}
