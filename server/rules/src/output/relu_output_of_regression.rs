//! # relu-output-of-regression (DL114)
//!
//! ## What it does
//! Finds regression models whose only output unit goes through relu.
//!
//! ## Why it matters
//! Such a unit can never predict a negative number, and when its sum is negative for every sample at the start the
//! gradient is zero for all of them: about one initialisation in a few predicts 0 for ever.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1, activation="relu")])
//! model.compile(optimizer="adam", loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! ```
//!
//! ## Fix safety
//! Unsafe: where negative predictions make no sense, softplus is the better change.
//!
//! ## References
//! - Ahmed et al.: DL Contract, FSE 2023 (regression: linear output)

use crate::context::Context;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL114",
    name: "relu-output-of-regression",
    kind: Kind::OutputActivation,
    severity: Severity::Information,
    source: include_str!("relu_output_of_regression.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for output in &context.outputs {
        let head = &output.head;
        if head.activation != "relu" || head.units != Some(1) || !output.loss.is_regression() {
            continue;
        }
        let message = "a relu output cannot be negative, and where its sum starts below zero for every sample it has no \
                       gradient and stays at 0; use a linear output, or softplus for numbers that are always positive";
        let edit = context.activation_edit(head, "linear");
        let fix = edit.map(|edit| context.fix_all("Use a linear output", Applicability::Unsafe, vec![edit]));
        findings.push(Finding {
            layer: context.layer(output.model, head.position),
            confidence: 0.6,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, head.range(), message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [
            model("L.Dense(1)", "'mse'"),
            model("L.Dense(8, 'relu')", "'mse'"),
            model("L.Dense(1, 'softplus')", "'mae'"),
        ];
        let fail = [
            (model("L.Dense(1, 'relu')", "'mse'"), "'relu'"),
            (model("L.Dense(1), L.ReLU()", "'mae'"), "L.ReLU()"),
        ];
        let fix = [(
            model("L.Dense(1, 'relu')", "'mse'"),
            model("L.Dense(1, 'linear')", "'mse'"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
