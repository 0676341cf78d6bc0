//! Program → findings without running anything; one file per rule.
//!
//! The leading comment of a rule's file is its documentation. A new rule is one new file and one line below.

mod api;
mod context;
mod optimisation;
mod output;
mod read;
#[cfg(test)]
mod testing;

use std::cmp::Reverse;
use std::path::Path;

use finding::{Finding, RuleInfo};
use program::Program;

use context::Context;

macro_rules! rules {
    ($($family:ident::$rule:ident),* $(,)?) => {
        static RULES: &[RuleInfo] = &[$($family::$rule::INFO),*];
        static CHECKS: &[fn(&Context<'_>) -> Vec<Finding>] = &[$($family::$rule::check),*];
    };
}

rules![
    api::removed_argument,
    api::integer_learning_rate,
    output::softmax_on_one_unit,
    output::binary_crossentropy_without_sigmoid,
    output::binary_crossentropy_after_softmax,
    output::categorical_crossentropy_without_softmax,
    output::categorical_crossentropy_on_one_unit,
    output::logits_loss_after_activation,
    output::softmax_with_regression_loss,
    output::accuracy_of_regression,
    output::binary_crossentropy_units,
    optimisation::learning_rate_out_of_range,
];

/// All rules.
pub fn all() -> &'static [RuleInfo] {
    RULES
}

/// Findings of all rules on one file: the most severe first, then the most certain, then in source order.
/// `text` is the text that `program` was parsed from; `path` is put into the findings as it is.
pub fn check(program: &Program, text: &str, path: &Path) -> Vec<Finding> {
    let context = Context::new(program, text, path);
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&context)).collect();
    findings.sort_by(|left, right| {
        (Reverse(left.severity), left.range, left.code).cmp(&(
            Reverse(right.severity),
            right.range,
            right.code,
        ))
    });
    // A model that is compiled twice has its faults once.
    findings.dedup_by(|next, kept| next.code == kept.code && next.range == kept.range);
    findings.sort_by(|left, right| {
        (Reverse(left.severity), right.confidence)
            .partial_cmp(&(Reverse(right.severity), left.confidence))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    findings
}
