//! # squared-error-of-sigmoid (DL113)
//!
//! ## What it does
//! Finds models with a single sigmoid unit that are trained with a squared or absolute error.
//!
//! ## Why it matters
//! When such a unit is sure and wrong, the slope of the sigmoid is almost zero and so is the gradient: the samples that
//! matter most teach nothing. Binary cross-entropy cancels that slope. For labels that are real fractions the pair is
//! defensible.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! ```
//!
//! ## Fix safety
//! Unsafe: labels between 0 and 1 may be meant as numbers.
//!
//! ## References
//! - Wardat, Le, Rajan: DeepLocalize, ICSE 2021
//! - Ahmed et al.: DL Contract, FSE 2023

use crate::context::Context;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL113",
    name: "squared-error-of-sigmoid",
    kind: Kind::Loss,
    severity: Severity::Information,
    source: include_str!("squared_error_of_sigmoid.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for output in &context.outputs {
        let (head, loss) = (&output.head, &output.loss);
        let error = matches!(loss.name, "mean_squared_error" | "mean_absolute_error");
        if head.activation != "sigmoid" || head.units != Some(1) || !error {
            continue;
        }
        let message = format!(
            "`{}` of a sigmoid has almost no gradient where the unit is sure and wrong, so the worst samples teach \
             least; for two classes use `binary_crossentropy`",
            loss.name
        );
        let edit = context.replace_name(loss.range, &loss.written, "binary_crossentropy");
        let fix = edit.filter(|_| !loss.written.starts_with("Mean"));
        let fix = fix
            .map(|(range, text)| context.fix("Use binary cross-entropy", Applicability::Unsafe, range, text));
        findings.push(Finding {
            confidence: 0.6,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, loss.range, message)
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
            model("L.Dense(1, 'sigmoid')", "'binary_crossentropy'"),
            model("L.Dense(784, 'sigmoid')", "'mse'"),
            model("L.Dense(1)", "'mse'"),
        ];
        let fail = [
            (model("L.Dense(1, 'sigmoid')", "'mse'"), "'mse'"),
            (
                model("L.Dense(1, 'sigmoid')", "loss=keras.losses.MeanSquaredError()"),
                "keras.losses.MeanSquaredError()",
            ),
        ];
        let fix = [(
            model("L.Dense(1, 'sigmoid')", "'mse'"),
            model("L.Dense(1, 'sigmoid')", "'binary_crossentropy'"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
