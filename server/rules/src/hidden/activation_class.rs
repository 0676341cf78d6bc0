//! # activation-class (DL208)
//!
//! ## What it does
//! Finds an activation layer that is given as a class instead of an object (`activation=LeakyReLU`).
//!
//! ## Why it matters
//! Keras calls whatever it is given. Called with the layer's output, the class takes it for an argument of its
//! constructor and raises an exception.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, activation=layers.LeakyReLU)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, activation=layers.LeakyReLU())
//! ```
//!
//! ## Fix safety
//! Safe: the object with default arguments is what was meant.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::Value;

use crate::context::Context;
use crate::read::layer_class;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL208",
    name: "activation-class",
    kind: Kind::HiddenActivation,
    severity: Severity::Error,
    source: include_str!("activation_class.rs"),
};

/// Activation layers.
const CLASSES: [&str; 5] = ["ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        let Some(argument) = layer_class(call).and_then(|_| call.argument("activation")) else {
            continue;
        };
        let Value::Reference(name) = &argument.value.value else {
            continue;
        };
        let Some(class) = name
            .strip_prefix("keras.layers.")
            .filter(|class| CLASSES.contains(class))
        else {
            continue;
        };
        let message = format!(
            "`{class}` is the class, not an activation: Keras calls it with the layer's output, which raises an \
             exception; write `{class}()`"
        );
        let end = argument.value.range.end;
        let fix = context.fix(
            "Make an object of it",
            Applicability::Safe,
            Range::new(end, end),
            "()",
        );
        findings.push(Finding {
            fixes: vec![fix],
            ..context.finding(&INFO, argument.value.range, message)
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
            layers("L.Dense(8, activation=L.LeakyReLU())"),
            layers("L.Dense(8, activation=keras.activations.relu)"),
        ];
        let fail = [(layers("L.Dense(8, activation=L.LeakyReLU)"), "L.LeakyReLU")];
        let fix = [(
            layers("L.Dense(8, activation=L.LeakyReLU)"),
            layers("L.Dense(8, activation=L.LeakyReLU())"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
