//! # duplicate-layer-name (DL613)
//!
//! ## What it does
//! Finds two layers of one model that are given the same name.
//!
//! ## Why it matters
//! Keras raises `ValueError: All layers added to a Sequential model should have unique names` when the second is added.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(8, name="hidden"), layers.ReLU(), layers.Dense(8, name="hidden")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(8, name="hidden_1"), layers.ReLU(), layers.Dense(8, name="hidden_2")])
//! ```
//!
//! ## Fix safety
//! No fix: what to call it is for the author.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Finding, Kind, RuleInfo, Severity};
use std::collections::HashMap;

use program::{CallId, Value};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL613",
    name: "duplicate-layer-name",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("duplicate_layer_name.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for model in &context.program.models {
        let mut seen: HashMap<&str, CallId> = HashMap::new();
        for layer in &model.layers {
            let Some(argument) = context.program.call(layer.call).argument("name") else {
                continue;
            };
            let Value::Str(name) = &argument.value.value else {
                continue;
            };
            match seen.get(name.as_str()) {
                // The same layer twice shares its weights, on purpose.
                Some(first) if *first != layer.call => {
                    let message = format!(
                        "another layer of this model is called `{name}` already, and Keras raises an exception for the second; \
                         give it a name of its own"
                    );
                    findings.push(Finding {
                        confidence: 0.95,
                        ..context.finding(&INFO, argument.value.range, message)
                    });
                }
                Some(_) => {}
                None => {
                    seen.insert(name, layer.call);
                }
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
            layers("L.Dense(1, name='a'), L.Dense(1, name='b', activation='relu'), L.Dense(2)"),
            layers("L.Dense(1, 'relu', name=n), L.Dense(1, name=n)"),
        ];
        let fail = [(
            layers("L.Dense(1, 'relu', name='a'), L.Dense(2, name='a')"),
            "'a'",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
