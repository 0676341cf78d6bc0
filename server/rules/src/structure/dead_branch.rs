//! # dead-branch (DL622)
//!
//! ## What it does
//! Finds layers of a functional graph whose output is put into a variable that nobody reads.
//!
//! ## Why it matters
//! The layer does not become part of any model: it has no weights that are trained, and the network is smaller than the script
//! reads. Mostly the next layer takes the wrong variable.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! inputs = keras.Input((32,))
//! x = layers.Dense(64, activation="relu")(inputs)
//! x = layers.Dense(32, activation="relu")(inputs)
//! model = keras.Model(inputs, layers.Dense(1)(x))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! inputs = keras.Input((32,))
//! x = layers.Dense(64, activation="relu")(inputs)
//! x = layers.Dense(32, activation="relu")(x)
//! model = keras.Model(inputs, layers.Dense(1)(x))
//! ```
//!
//! ## Fix safety
//! No fix: whether the layer goes or the next one takes its output is for the author.
//!
//! ## References
//! - Measured on Keras 3.15.1: the layer is not among `model.layers`
//! - [The functional API](https://keras.io/guides/functional_api/)

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{ModelKind, UnusedKind};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL622",
    name: "dead-branch",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("dead_branch.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let functional = |model: &program::Model| model.kind == ModelKind::Functional && model.complete;
    if !context.program.models.iter().any(functional) {
        return Vec::new();
    }
    let finding = |unused: &program::Unused| {
        let UnusedKind::Tensor(name) = &unused.kind else {
            return None;
        };
        let call = context.program.call(unused.call);
        let why = if unused.overwritten {
            format!("`{name}` is overwritten before anything reads it")
        } else {
            format!("nothing reads `{name}`")
        };
        let message = format!(
            "{why}, so this {} is no part of the model and does not learn; let the next layer take `{name}`, or remove it",
            call.class()
        );
        Some(Finding {
            confidence: 0.85,
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
                "import keras\nfrom keras import layers as L\ni = keras.Input((4,))\n{body}\nm = keras.Model(i, L.Dense(1)(x))\n"
            )
        };
        let pass = [
            net("x = L.Dense(8, 'relu')(i)"),
            net("x = L.Dense(8, 'relu')(i)\nx = L.Dropout(0.1)(x)"),
            net("x = f(i)\ny = L.Dense(8)(x)"),
        ];
        let fail = [
            (
                net("x = L.Dense(8, 'relu')(i)\ny = L.Dropout(0.1)(x)"),
                "L.Dropout(0.1)",
            ),
            (
                net("x = L.Dense(9, 'relu')(i)\nx = L.Dense(8, 'relu')(i)"),
                "L.Dense(9, 'relu')",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
