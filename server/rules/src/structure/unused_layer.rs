//! # unused-layer (DL623)
//!
//! ## What it does
//! Finds layers that are made and then neither called nor added to a model.
//!
//! ## Why it matters
//! The network is smaller than the script reads: the layer is no part of it. In a Sequential script `model.add` is missing around it,
//! in a subclass `call` does not use it.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential()
//! model.add(layers.Dense(64, activation="relu"))
//! layers.Dropout(0.3)
//! model.add(layers.Dense(1))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential()
//! model.add(layers.Dense(64, activation="relu"))
//! model.add(layers.Dropout(0.3))
//! model.add(layers.Dense(1))
//! ```
//!
//! ## Fix safety
//! No fix: where it belongs is for the author.
//!
//! ## References
//! - Measured on Keras 3.15.1: the layer is not among `model.layers`

use finding::{Finding, Kind, RuleInfo, Severity};
use program::UnusedKind;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL623",
    name: "unused-layer",
    kind: Kind::ApiMisuse,
    severity: Severity::Information,
    source: include_str!("unused_layer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let finding = |unused: &program::Unused| {
        let call = context.program.call(unused.call);
        let (what, advice) = match &unused.kind {
            UnusedKind::Dropped => (
                "nothing takes this layer".to_owned(),
                "add it, or remove the line",
            ),
            UnusedKind::Layer(name) => (
                format!("nothing uses `{name}`"),
                "call or add it, or remove the line",
            ),
            UnusedKind::Attribute(name) => (
                format!("nothing uses `self.{name}`"),
                "call it in `call`, or remove the line",
            ),
            UnusedKind::Tensor(_) => return None,
        };
        let message = format!(
            "{what}, so the {} is no part of the model; {advice}",
            call.class()
        );
        Some(Finding {
            confidence: 0.8,
            ..context.finding(&INFO, call.range, message)
        })
    };
    context.unused().iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let net = |body: &str| {
            format!(
                "import keras\nfrom keras import layers as L\nm = keras.Sequential([keras.Input((4,)), L.Dense(8, 'relu')])\n{body}\nm.add(L.Dense(1))\n"
            )
        };
        let pass = [
            net("d = L.Dropout(0.1)\nm.add(d)"),
            net("d = L.Dropout(0.1)\nd = L.Dropout(0.2)\nbuild(d, L.Dropout(0.1))")
                .replace("d = L.Dropout(0.1)\n", ""),
            net("pair = [L.Dropout(0.1), L.ReLU()]"),
        ];
        let fail = [
            (net("L.Dropout(0.1)"), "L.Dropout(0.1)"),
            (net("d = L.Dropout(0.1)"), "L.Dropout(0.1)"),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
