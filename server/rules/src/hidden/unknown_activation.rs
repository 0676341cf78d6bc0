//! # unknown-activation (DL207)
//!
//! ## What it does
//! Finds activations given as a string that Keras does not know.
//!
//! ## Why it matters
//! The layer raises `ValueError` when it is made. Names are lower case: `"ReLU"` is the layer, `"relu"` the activation.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, activation="ReLU")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, activation="relu")
//! ```
//!
//! ## Fix safety
//! Safe where a known name is near enough to be what was meant; otherwise there is no fix.
//!
//! ## References
//! - `keras/src/activations/__init__.py` of Keras 3.15.1; `grammars/identifiers.toml`

use crate::context::Context;
use crate::read::{Family, layer_class};
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL207",
    name: "unknown-activation",
    kind: Kind::HiddenActivation,
    severity: Severity::Error,
    source: include_str!("unknown_activation.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if layer_class(call).is_none() {
            continue;
        }
        for name in ["activation", "recurrent_activation"] {
            findings.extend(call.argument(name).and_then(|argument| {
                context.unknown_name(&INFO, Family::Activation, &argument.value, "activation")
            }));
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
            layers("L.Dense(8, 'relu'), L.Activation('gelu')"),
            layers("L.Dense(8, activation=name)"),
            "import keras\nkeras.utils.get_custom_objects()['mine'] = f\nkeras.layers.Dense(8, 'mine')"
                .to_owned(),
        ];
        let fail = [
            (layers("L.Dense(8, 'Relu')"), "'Relu'"),
            (layers("L.Dense(8), L.Activation('lrelu')"), "'lrelu'"),
        ];
        let fix = [(layers("L.Dense(8, 'Relu')"), layers("L.Dense(8, 'relu')"))];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
