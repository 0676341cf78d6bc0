//! # learning-rate-too-low (DL711)
//!
//! ## What it does
//! Reports a learning rate so low that the weights hardly move, when the network does not learn.
//!
//! ## Why it matters
//! At an update of one part in 100,000 per step a network needs hundreds of thousands of steps to change at all.
//!
//! ## Example
//! ```python
//! model.compile(optimizer=Adam(learning_rate=1e-7), loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! model.compile(optimizer=Adam(learning_rate=1e-3), loss="mse")
//! ```
//!
//! ## Fix safety
//! Unsafe: a suggestion to start from.
//!
//! ## References
//! DeepDiagnosis (ICSE 2022): update ratio below 1e-5; DL Contract (FSE 2023): rate above 7e-7; UMLAUT: above 1e-7.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL711",
    name: "learning-rate-too-low",
    kind: Kind::LearningRate,
    severity: Severity::Warning,
    source: include_str!("learning_rate_too_low.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(charge) = suspects::charge(case, |suspects| suspects.rate_low) else { return Vec::new() };
    let Some(optimizer) = &case.fit.info.optimizer else { return Vec::new() };
    let default = suspects::usual_rate(&optimizer.class);
    // At the default already, and still too little for this network.
    let usual = if optimizer.learning_rate < default { default } else { 10.0 * optimizer.learning_rate };
    let message = format!(
        "learning rate {} moves the weights too little to learn in the steps given; try {} ({}'s default is {})",
        number(optimizer.learning_rate),
        number(usual),
        optimizer.class,
        number(default)
    );
    let cause = Cause::new(&INFO, Place::LearningRate, charge.confidence.min(0.9), message).severity(charge.severity);
    let mut cause = suspects::with_failure(case, charge.failure, cause).seen(
        Phase::Update,
        format!("a step typically changes the weights by {} of their size", number(case.typical_update_ratio())),
    );
    cause.settled = charge.settled;
    if optimizer.learning_rate < usual {
        cause = cause.remedy(Remedy::Argument {
            title: format!("Use learning rate {}", number(usual)),
            keyword: "learning_rate",
            text: number(usual),
        });
    }
    vec![cause]
}
