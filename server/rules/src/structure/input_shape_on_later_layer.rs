//! # input-shape-on-later-layer (DL615)
//!
//! ## What it does
//! Finds `input_shape=` or `input_dim=` on a layer that is not the first of its model.
//!
//! ## Why it matters
//! A later layer gets its shape from the layer before it. The argument is ignored, and misleads when it says something
//! else.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(32, activation="relu", input_dim=8), layers.Dense(1, input_dim=32)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(32, activation="relu", input_dim=8), layers.Dense(1)])
//! ```
//!
//! ## Fix safety
//! No fix: the argument can simply go.
//!
//! ## References
//! - `keras/src/layers/layer.py` of Keras 3.15.1

use crate::context::Context;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL615",
    name: "input-shape-on-later-layer",
    kind: Kind::Shape,
    severity: Severity::Hint,
    source: include_str!("input_shape_on_later_layer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in context.chains.iter().filter(|chain| chain.is_whole()) {
        for (index, call) in chain.layers.iter().enumerate().skip(1) {
            let argument = call
                .argument("input_shape")
                .or_else(|| call.argument("input_dim"));
            // Embedding has an argument of that name for something else.
            let Some(argument) =
                argument.filter(|_| call.class() != "Embedding" && call.callee.starts_with("keras.layers."))
            else {
                continue;
            };
            let message = "only the first layer of a model needs to know its input; this one gets its shape from the layer before, \
                           so the argument is ignored and can go";
            findings.push(Finding {
                confidence: 0.8,
                layer: context.layer(chain.model, chain.position(index)),
                ..context.finding(&INFO, argument.range, message)
            });
        }
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
            layers("L.Dense(8, 'relu', input_dim=3), L.Dense(1)"),
            layers("L.Rescaling(2), L.Embedding(input_dim=8, output_dim=2)"),
        ];
        let fail = [(
            layers("L.Dense(8, 'relu', input_dim=3), L.Dense(1, input_dim=8)"),
            "input_dim=8",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
