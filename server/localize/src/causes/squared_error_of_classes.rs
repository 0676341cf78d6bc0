//! # squared-error-of-classes (DL742)
//!
//! ## What it does
//! Reports squared or absolute error on class labels behind sigmoid or softmax outputs, when the network is far behind a
//! simple model.
//!
//! ## Why it matters
//! With one 1 among ten outputs, nine tenths of the squared error are gained by saying 0 everywhere. From there the
//! gradient passes the flat part of sigmoid or softmax, and hardly anything moves. Cross-entropy cancels that factor.
//!
//! ## Example
//! ```python
//! model.add(Dense(10, activation="sigmoid"))
//! model.compile(loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dense(10, activation="softmax"))
//! model.compile(loss="categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! No automatic fix: output and loss change together.
//!
//! ## References
//! DL Contract (FSE 2023), output table; Golik et al., Cross-entropy vs. squared error training (2013). One-hot labels of
//! three classes or more, and the network fails.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::suspects::{self, Failure};
use crate::case::Case;
use super::Cause;
use crate::learning::Task;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL742",
    name: "squared-error-of-classes",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("squared_error_of_classes.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let squared = matches!(case.loss_name(), "mean_squared_error" | "mean_absolute_error" | "mean_squared_logarithmic_error");
    let squashed = case.head().and_then(|head| head.activation.as_deref()).filter(|name| matches!(*name, "sigmoid" | "softmax"));
    let classes = case.learning().task == Task::MultiClass && case.output_units().is_some_and(|units| units > 2);
    let (Some(activation), true) = (squashed, squared && classes && case.fails()) else { return Vec::new() };
    let steps_normal = suspects::weigh(case, Failure::Stuck);
    if steps_normal.features > 0.3 || steps_normal.rate_low > 1.5 {
        return Vec::new();
    }
    let message = format!(
        "{} of class labels behind {activation} is nearly as small for a constant as for the right answer, and its gradient \
         vanishes where {activation} is flat; use softmax and categorical cross-entropy",
        case.loss_name().replace('_', " ")
    );
    vec![Cause::new(&INFO, Place::Loss, 0.72, message).seen(Phase::Metric, suspects::stuck_text(case))]
}
