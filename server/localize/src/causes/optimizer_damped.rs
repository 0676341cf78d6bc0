//! # optimizer-setting-out-of-range (DL729)
//!
//! ## What it does
//! Reports an epsilon or a momentum that keeps the optimizer from doing its work, when the network does not learn.
//!
//! ## Why it matters
//! Adam and its kin divide by the gradient's size plus epsilon: an epsilon of 1 or more divides every step by it. A
//! momentum of 0.999 adds up a thousand steps: the weights swing past every minimum.
//!
//! ## Example
//! ```python
//! Adam(learning_rate=0.001, epsilon=100.0)
//! ```
//!
//! ## Use instead
//! ```python
//! Adam(learning_rate=0.001)
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! Keras' defaults (epsilon 1e-7, momentum 0.9); Sutskever et al., "On the importance of initialization and momentum"
//! (2013), go up to 0.999 with a schedule and small rates only. From epsilon 0.1 and momentum 0.99 on, and only together
//! with a failure.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL729",
    name: "optimizer-setting-out-of-range",
    kind: Kind::Optimizer,
    severity: Severity::Warning,
    source: include_str!("optimizer_damped.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if suspects::failure(case).is_none() {
        return Vec::new();
    }
    let Some(optimizer) = &case.fit.info.optimizer else { return Vec::new() };
    let setting = |name: &str| optimizer.config.get(name).and_then(serde_json::Value::as_f64);
    let (name, value, effect) = match (setting("epsilon"), setting("momentum")) {
        (Some(epsilon), _) if epsilon >= 0.1 => ("epsilon", epsilon, "divides every step by about that much"),
        (_, Some(momentum)) if momentum >= 0.99 => ("momentum", momentum, "adds up hundreds of steps, so the weights overshoot"),
        _ => return Vec::new(),
    };
    let message = format!("{name} {} of {} {effect}; leave it at its default", number(value), optimizer.class);
    vec![
        Cause::new(&INFO, Place::OptimizerArgument(name), 0.88, message).seen(
            Phase::Update,
            format!("a step typically changes the weights by {} of their size", number(case.typical_update_ratio())),
        ),
    ]
}
