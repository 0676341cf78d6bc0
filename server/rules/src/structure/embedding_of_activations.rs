//! # embedding-of-activations (DL619)
//!
//! ## What it does
//! Finds an Embedding behind a layer that computes real numbers.
//!
//! ## Why it matters
//! An Embedding looks up whole numbers, such as words, in a table. Real numbers from another layer are cut to whole
//! ones (mostly 0), and no gradient passes back through the look-up, so the layers before it never learn.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(32, activation="relu"), layers.Embedding(1000, 16), layers.Flatten(), layers.Dense(1)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Embedding(1000, 16), layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(1)])
//! ```
//!
//! ## Fix safety
//! No fix: the layers have to be put in another order.
//!
//! ## References
//! - `keras.layers.Embedding`: "Turns positive integers (indexes) into dense vectors of fixed size"

use crate::context::Context;
use crate::read::{has_units, is_activation};
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL619",
    name: "embedding-of-activations",
    kind: Kind::Shape,
    severity: Severity::Warning,
    source: include_str!("embedding_of_activations.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, call) in chain.layers.iter().enumerate() {
            let before = chain.layers.iter().take(index);
            let real = before.clone().any(|layer| {
                has_units(layer) || is_activation(layer) || layer.class().ends_with("Normalization")
            });
            if call.class() == "Embedding" && real {
                let message = "an Embedding looks up whole numbers, but it stands behind a layer that gives real ones: they are cut \
                               to whole numbers and no gradient passes back; make it the first layer";
                findings.push(Finding {
                    layer: context.layer(chain.model, chain.position(index)),
                    ..context.finding(&INFO, call.callee_range, message)
                });
            }
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
            layers("L.Embedding(10, 2), L.LSTM(8), L.Dense(1)"),
            layers("L.TextVectorization(100), L.Embedding(100, 8)"),
        ];
        let fail = [(
            layers("L.Dense(8, 'relu'), L.Embedding(10, 2), L.Dense(1)"),
            "L.Embedding",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
