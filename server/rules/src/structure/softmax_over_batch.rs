//! # softmax-over-batch (DL610)
//!
//! ## What it does
//! Finds softmax layers over axis 0, the samples of the batch.
//!
//! ## Why it matters
//! Softmax makes the numbers along its axis sum to 1. Along the batch, the prediction for one sample depends on which
//! others are in the batch with it, and the classes of one sample no longer sum to 1.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(10), layers.Softmax(axis=0)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(10), layers.Softmax()])
//! ```
//!
//! ## Fix safety
//! Safe: the last axis, the classes, is put in.
//!
//! ## References
//! - `keras.layers.Softmax`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL610",
    name: "softmax-over-batch",
    kind: Kind::OutputActivation,
    severity: Severity::Error,
    source: include_str!("softmax_over_batch.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if !matches!(
            call.callee.as_str(),
            "keras.layers.Softmax" | "keras.activations.softmax"
        ) {
            continue;
        }
        let Some(argument) = call
            .argument("axis")
            .filter(|argument| argument.value.value == Value::Int(0))
        else {
            continue;
        };
        // Of a plain tensor, axis 0 need not be the batch.
        let of_tensor = call.callee == "keras.activations.softmax";
        let message = "softmax over axis 0 runs over the samples of a batch, so each prediction depends on the other samples and \
                       its classes do not sum to 1; use the last axis, -1";
        let fix = context.fix(
            "Use the last axis",
            Applicability::Safe,
            argument.value.origin,
            "-1",
        );
        findings.push(Finding {
            severity: if of_tensor {
                Severity::Information
            } else {
                Severity::Error
            },
            confidence: if of_tensor { 0.6 } else { 0.95 },
            fixes: vec![fix],
            ..context.finding(&INFO, argument.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.Dense(3), L.Softmax()"),
            layers("L.Dense(3), L.Softmax(axis=-1)"),
            layers("L.Dense(3), L.Softmax(axis=1)"),
            layers("L.Dense(3), L.Softmax(axis=a)"),
        ];
        let fail = [(layers("L.Dense(3), L.Softmax(axis=0)"), "axis=0")];
        let fix = [(
            layers("L.Dense(3), L.Softmax(axis=0)"),
            layers("L.Dense(3), L.Softmax(axis=-1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
