//! # batch-normalization-of-output (DL617)
//!
//! ## What it does
//! Finds a BatchNormalization behind the output's softmax or sigmoid.
//!
//! ## Why it matters
//! It shifts and scales the probabilities to mean 0: they leave the range between 0 and 1 that the cross-entropy takes
//! the logarithm of.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(10, activation="softmax"), layers.BatchNormalization()])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.BatchNormalization(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! No fix: the layer should go, or stand before the output layer.
//!
//! ## References
//! - Ioffe, Szegedy: Batch Normalization, ICML 2015

use crate::context::Context;
use crate::read::{Head, is_activation, is_passive, of_layer};
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL617",
    name: "batch-normalization-of-output",
    kind: Kind::Regularisation,
    severity: Severity::Warning,
    source: include_str!("batch_normalization_of_output.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        let compiled = context.program.compiles.iter().any(|compile| {
            compile
                .model
                .and_then(|model| context.program.model(model))
                .is_some_and(|model| std::ptr::eq(model, chain.model))
        });
        let mut working = chain
            .layers
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, call)| !is_passive(call));
        let (Some((index, last)), Some((_, before))) = (working.next(), working.next()) else {
            continue;
        };
        let activation = if is_activation(before) {
            of_layer(context.program, before)
        } else {
            Head::of_layer(context.program, before).map(|head| head.activation)
        };
        let probabilities = activation.filter(|activation| matches!(*activation, "softmax" | "sigmoid"));
        let Some(activation) = probabilities.filter(|_| compiled && last.class() == "BatchNormalization")
        else {
            continue;
        };
        let message = format!(
            "this normalises the output of the {activation} to mean 0, so the predictions are no longer probabilities and the \
             cross-entropy cannot work with them; put it before the output layer"
        );
        findings.push(Finding {
            layer: context.layer(chain.model, chain.position(index)),
            ..context.finding(&INFO, last.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{layers, model};

    #[test]
    fn tables() {
        let pass = [
            model(
                "L.BatchNormalization(), L.Dense(3, 'softmax')",
                "'categorical_crossentropy'",
            ),
            model(
                "L.Dense(3), L.BatchNormalization(), L.Softmax()",
                "'categorical_crossentropy'",
            ),
            layers("L.Dense(3, 'sigmoid'), L.BatchNormalization()"),
        ];
        let fail = [(
            model(
                "L.Dense(1, 'sigmoid'), L.BatchNormalization()",
                "'binary_crossentropy'",
            ),
            "L.BatchNormalization()",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
