//! # dropout-on-output (DL605)
//!
//! ## What it does
//! Finds dropout behind the output layer.
//!
//! ## Why it matters
//! In every training step some of the predictions themselves are set to 0, whatever the network computed: a cross-
//! entropy sees probability 0 for the right class and jumps, a regression is pulled off by the scaling. Dropout belongs
//! between hidden layers.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(10, activation="softmax"), layers.Dropout(0.5)])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dropout(0.5), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! No fix: the layer should go, or stand before the output layer.
//!
//! ## References
//! - Theia, TOSEM 2024; Nikanjam et al.: NeuraLint, TOSEM 2022

use crate::context::Context;
use crate::read::is_dropout;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL605",
    name: "dropout-on-output",
    kind: Kind::Regularisation,
    severity: Severity::Warning,
    source: include_str!("dropout_on_output.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for output in &context.outputs {
        let last = output
            .model
            .layers
            .last()
            .map(|layer| context.program.call(layer.call));
        let Some(dropout) = last.filter(|call| is_dropout(call) && output.head.call.class() != "Dropout")
        else {
            continue;
        };
        let message = "dropout behind the output layer sets predictions to 0 at random in every training step, so the loss jumps \
                       whatever the network computes; put it before the output layer";
        findings.push(Finding {
            layer: context.layer(output.model, output.model.layers.len() - 1),
            ..context.finding(&INFO, dropout.range, message)
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
            model("L.Dropout(0.5), L.Dense(1)", "'mse'"),
            model("L.Dense(1), L.Dropout(0.5), mine()", "'mse'"),
        ];
        let fail = [(
            model(
                "L.Dense(3, 'softmax'), L.Dropout(0.5)",
                "'categorical_crossentropy'",
            ),
            "L.Dropout(0.5)",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
