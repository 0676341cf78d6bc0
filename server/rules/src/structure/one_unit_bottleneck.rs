//! # one-unit-bottleneck (DL616)
//!
//! ## What it does
//! Finds hidden Dense layers with a single unit.
//!
//! ## Why it matters
//! Everything the network knows about a sample has to pass through one number. Autoencoders do that on purpose (those
//! fitted to their own input are left alone); elsewhere it is usually an output layer that was left in the middle.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(1, activation="relu"), layers.Dense(10, activation="softmax")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(16, activation="relu"), layers.Dense(10, activation="softmax")])
//! ```
//!
//! ## Fix safety
//! No fix: how many units are enough is for the author.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;
use crate::read::Head;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL616",
    name: "one-unit-bottleneck",
    kind: Kind::LayerSize,
    severity: Severity::Information,
    source: include_str!("one_unit_bottleneck.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let reconstructs = context.trainings.iter().any(|training| {
        let text = |name| {
            training
                .fit
                .argument(name)
                .map(|argument| argument.value.range.slice(context.text))
        };
        text("x").is_some() && text("x") == text("y")
    });
    if reconstructs {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, call) in chain.layers.iter().enumerate() {
            let next = chain.working_from(index + 1).next();
            let both = call.class() == "Dense" && next.is_some_and(|next| next.class() == "Dense");
            let Some(units) = call.argument("units").filter(|_| both) else {
                continue;
            };
            // With softmax it is wrong for a reason that has its own rule.
            let softmax =
                Head::of_layer(context.program, call).is_some_and(|head| head.activation == "softmax");
            if units.value.value == Value::Int(1) && !softmax {
                let message = "all the network knows of a sample has to pass through this one unit; give the hidden layer more \
                               units, or take it out if it was the output once";
                findings.push(Finding {
                    confidence: 0.7,
                    layer: context.layer(chain.model, chain.position(index)),
                    ..context.finding(&INFO, units.value.range, message)
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
            layers("L.Dense(8, 'relu'), L.Dense(1)"),
            layers("L.Dense(n, 'relu'), L.Dense(1)"),
            layers("L.Dense(2, 'relu'), L.Dense(8)"),
        ];
        let fail = [(layers("L.Dense(8, 'relu'), L.Dense(1, 'relu'), L.Dense(3)"), "1")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
