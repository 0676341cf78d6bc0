//! # frozen-network (DL314)
//!
//! ## What it does
//! Finds models in which every layer with weights is made with `trainable=False`.
//!
//! ## Why it matters
//! There is nothing left that training could change: the loss stays where it is. At least the output layer has to
//! learn.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(8, activation="relu", trainable=False), layers.Dense(1, trainable=False)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(8, activation="relu", trainable=False), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix: which layers are to learn is not known.
//!
//! ## References
//! - Measured on Keras 3.15.1: "UserWarning: The model does not have any trainable weights"

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;
use crate::read::{is_activation, is_passive};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL314",
    name: "frozen-network",
    kind: Kind::Optimizer,
    severity: Severity::Warning,
    source: include_str!("frozen_network.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    // Something may thaw layers later.
    if context.text.contains(".trainable") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for training in &context.trainings {
        let Some(chain) = context.chains.iter().find(|chain| {
            training
                .model
                .is_some_and(|model| chain.is_whole() && std::ptr::eq(chain.model, model))
        }) else {
            continue;
        };
        let frozen = |call: &&program::Call| {
            call.argument("trainable")
                .is_some_and(|argument| argument.value.value == Value::Bool(false))
        };
        let weightless = |call: &&program::Call| {
            is_passive(call)
                || is_activation(call)
                || call.class().contains("Pooling")
                || matches!(call.class(), "Flatten" | "Reshape" | "Rescaling")
        };
        let all = chain.layers.iter().all(|call| frozen(call) || weightless(call));
        let Some((index, last)) = chain
            .layers
            .iter()
            .enumerate()
            .rfind(|(_, call)| frozen(call))
            .filter(|_| all)
        else {
            continue;
        };
        let argument = last
            .argument("trainable")
            .map_or(last.range, |argument| argument.range);
        let message = "every layer with weights has `trainable=False`, so training changes nothing and the loss stays where it \
                       is; at least the output layer has to learn";
        findings.push(Finding {
            layer: context.layer(chain.model, chain.position(index)),
            ..context.finding(&INFO, argument, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(1, trainable=False), Dense(1)])\nm.compile('adam', 'mae')\nm.fit(x, x)".to_owned(), "import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(1, trainable=False)])\nm.compile('adam', 'mae')\nm.layers[0].trainable = True\nm.fit(x, y)".to_owned()];
        let fail = [("import keras\nfrom keras.layers import Dense\nm = keras.Sequential([Dense(1, trainable=False)])\nm.compile('adam', 'mae')\nm.fit(x, y)".to_owned(), "trainable=False")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
