//! # hinge-of-positive-output (DL115)
//!
//! ## What it does
//! Finds models with a hinge loss whose output cannot be negative.
//!
//! ## Why it matters
//! The hinge losses compare the output with -1 and 1 (labels of 0 become -1). A sigmoid, softmax or relu output never
//! comes near -1, so every sample of the first class keeps its loss, and the decision boundary of a hinge, 0, is the
//! edge of what the output can say.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="hinge")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1, activation="tanh")])
//! model.compile(optimizer="adam", loss="hinge")
//! ```
//!
//! ## Fix safety
//! Unsafe: binary cross-entropy with the sigmoid may be what is meant.
//!
//! ## References
//! - `keras.losses.hinge`: `mean(maximum(1 - y_true * y_pred, 0))`, with 0 in `y_true` taken for -1

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL115",
    name: "hinge-of-positive-output",
    kind: Kind::OutputActivation,
    severity: Severity::Warning,
    source: include_str!("hinge_of_positive_output.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for output in context.heads() {
        let (head, loss) = (&output.head, &output.loss);
        let hinge = matches!(loss.name, "hinge" | "squared_hinge");
        let positive = matches!(
            head.activation,
            "sigmoid" | "hard_sigmoid" | "softmax" | "relu" | "relu6" | "softplus" | "exponential"
        );
        if !hinge || !positive {
            continue;
        }
        let message = format!(
            "`{}` compares the output with -1 and 1, but {} never comes near -1, so half of the samples can never be \
             satisfied; use a tanh output, or binary cross-entropy with a sigmoid",
            loss.name, head.activation
        );
        let edit = context.activation_edit(head, "tanh");
        let fix = edit.map(|edit| context.fix_all("Use a tanh output", Applicability::Unsafe, vec![edit]));
        findings.push(Finding {
            confidence: 0.88,
            layer: context.layer(output.model, head.position),
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
            model("L.Dense(1, 'tanh')", "'hinge'"),
            model("L.Dense(1)", "'squared_hinge'"),
            model("L.Dense(3, 'softmax')", "'categorical_hinge'"),
            model("L.Dense(1, activation=f)", "'hinge'"),
        ];
        let fail = [
            (model("L.Dense(1, 'sigmoid')", "'hinge'"), "'sigmoid'"),
            (
                model("L.Dense(1, activation='relu')", "keras.losses.SquaredHinge()"),
                "'relu'",
            ),
        ];
        let fix = [(
            model("L.Dense(1, 'sigmoid')", "'hinge'"),
            model("L.Dense(1, 'tanh')", "'hinge'"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
