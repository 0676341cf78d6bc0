//! # selu-initializer (DL209)
//!
//! ## What it does
//! Finds selu layers that do not start from `lecun_normal` weights.
//!
//! ## Why it matters
//! Selu keeps the mean and variance of the signal only from weights of variance 1/fan-in. From Keras' default, glorot,
//! the self-normalisation it is chosen for does not hold.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, activation="selu")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, activation="selu", kernel_initializer="lecun_normal")
//! ```
//!
//! ## Fix safety
//! Unsafe: the initial weights change.
//!
//! ## References
//! - Klambauer et al.: Self-Normalizing Neural Networks, NeurIPS 2017
//! - `keras.activations.selu`

use crate::context::{Context, Given, given};
use crate::read::{Head, is_convolution};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL209",
    name: "selu-initializer",
    kind: Kind::WeightInit,
    severity: Severity::Hint,
    source: include_str!("selu_initializer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if call.class() != "Dense" && !is_convolution(call.class()) {
            continue;
        }
        let selu = Head::of_layer(context.program, call).filter(|head| head.activation == "selu");
        if selu.is_none() || !matches!(given(call, "kernel_initializer"), Given::Absent) {
            continue;
        }
        let message = "selu keeps its signal normalised only when the weights start from `lecun_normal`; the default is \
                       `glorot_uniform`";
        let argument = format!("kernel_initializer={}", context.quoted("lecun_normal"));
        let edit = context.append_argument(call, &argument);
        let fix =
            edit.map(|edit| context.fix_all("Start from lecun_normal", Applicability::Unsafe, vec![edit]));
        findings.push(Finding {
            confidence: 0.6,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, call.range, message)
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
            layers("L.Dense(8, 'relu')"),
            layers("L.Dense(8, 'selu', kernel_initializer='lecun_normal')"),
            layers("L.Dense(8, 'selu', **o)"),
        ];
        let fail = [(layers("L.Dense(8, 'selu'), L.Dense(1)"), "L.Dense(8, 'selu')")];
        let fix = [(
            layers("L.Dense(8, 'selu'), L.Dense(1)"),
            layers("L.Dense(8, 'selu', kernel_initializer='lecun_normal'), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
