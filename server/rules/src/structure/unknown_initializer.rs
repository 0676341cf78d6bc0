//! # unknown-initializer (DL620)
//!
//! ## What it does
//! Finds initializers given as a string that Keras does not know.
//!
//! ## Why it matters
//! The layer raises `ValueError` when it is made. Xavier's initialisation goes by Glorot's name in Keras:
//! `glorot_uniform`, `glorot_normal`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, kernel_initializer="xavier")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, kernel_initializer="glorot_uniform")
//! ```
//!
//! ## Fix safety
//! Safe where a known name is near enough to be what was meant; otherwise there is no fix.
//!
//! ## References
//! - `keras/src/initializers/__init__.py` of Keras 3.15.1; `grammars/identifiers.toml`

use crate::context::Context;
use crate::read::{Family, layer_class};
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL620",
    name: "unknown-initializer",
    kind: Kind::WeightInit,
    severity: Severity::Error,
    source: include_str!("unknown_initializer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if layer_class(call).is_none() {
            continue;
        }
        for argument in &call.arguments {
            if argument
                .name
                .as_deref()
                .is_some_and(|name| name.ends_with("_initializer"))
            {
                findings.extend(context.unknown_name(
                    &INFO,
                    Family::Initializer,
                    &argument.value,
                    "initializer",
                ));
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
            layers("L.Dense(8, kernel_initializer='he_normal', bias_initializer='zeros')"),
            layers("L.Dense(8, kernel_initializer='normal')"),
            layers("L.Dense(8, kernel_initializer=name)"),
        ];
        let fail = [
            (layers("L.Dense(8, kernel_initializer='xavier')"), "'xavier'"),
            (layers("L.Dense(8, bias_initializer='zeroes')"), "'zeroes'"),
        ];
        let fix = [(
            layers("L.Dense(8, kernel_initializer='henormal')"),
            layers("L.Dense(8, kernel_initializer='he_normal')"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
