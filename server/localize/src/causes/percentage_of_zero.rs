//! # percentage-error-near-zero (DL745)
//!
//! ## What it does
//! Reports a percentage error on labels that are, or cross, zero, when the network fails.
//!
//! ## Why it matters
//! The error is divided by the label. Labels near 0 make single samples weigh millions of times as much as others, and
//! the best answer to that loss is a constant near 0.
//!
//! ## Example
//! ```python
//! model.compile(loss="mean_absolute_percentage_error")    # y from -5 to 5
//! ```
//!
//! ## Use instead
//! ```python
//! model.compile(loss="mean_squared_error")
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! Hyndman and Koehler, Another look at measures of forecast accuracy (2006). Labels of both signs or with zeros, and the
//! network fails.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL745",
    name: "percentage-error-near-zero",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("percentage_of_zero.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(y) = case.fit.y().filter(|y| y.min <= 0.0 && y.max >= 0.0) else { return Vec::new() };
    if case.loss_name() != "mean_absolute_percentage_error" || !case.fails() {
        return Vec::new();
    }
    let message = format!(
        "labels go from {} to {}, through 0, and the percentage error divides by them: a few samples near 0 outweigh all others; \
         use mean squared or absolute error",
        number(y.min),
        number(y.max)
    );
    vec![Cause::new(&INFO, Place::Loss, 0.9, message).seen(Phase::Metric, suspects::stuck_text(case))]
}
