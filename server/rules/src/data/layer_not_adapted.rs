//! # layer-not-adapted (DL452)
//!
//! ## What it does
//! Finds preprocessing layers that are trained with and were never shown the data they are to work on: `Normalization`
//! without `adapt` and without `mean` and `variance`, `TextVectorization`, `StringLookup` and `IntegerLookup` without `adapt` and
//! without a vocabulary, `Discretization` without `adapt` and without bins.
//!
//! ## Why it matters
//! A `Normalization` that was not adapted takes a mean of 0 and a variance of 1 and gives what it gets: features of very
//! different sizes reach the network as they are. A layer without a vocabulary or bins
//! raises an exception when it is called.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! normalizer = layers.Normalization()
//! model = keras.Sequential([normalizer, layers.Dense(8, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! normalizer = layers.Normalization()
//! normalizer.adapt(x)
//! model = keras.Sequential([normalizer, layers.Dense(8, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix: which array the layer is to be adapted to (the training features, nothing of the test) is for the script to say.
//!
//! ## References
//! - Measured on Keras 3.15.1: `Normalization()` gives what it gets, the others raise an exception

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Call, Code, Field, Node};

use crate::context::{Context, Given, given};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL452",
    name: "layer-not-adapted",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("layer_not_adapted.rs"),
};

/// What may give a layer its state in another way.
const OTHER_WAYS: [&str; 8] = [
    "load_weights",
    "load_model",
    "set_weights",
    "from_config",
    "set_vocabulary",
    "load_assets",
    "restore(",
    "getattr(",
];

/// What a layer needs to be given if it is not adapted.
fn needs(call: &Call) -> Option<&'static [&'static str]> {
    if !call.callee.starts_with("keras.layers.") {
        return None;
    }
    match call.class() {
        "Normalization" => Some(&["mean", "variance"]),
        "TextVectorization" | "StringLookup" | "IntegerLookup" => Some(&["vocabulary"]),
        "Discretization" => Some(&["bin_boundaries", "bins"]),
        _ => None,
    }
}

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    let text = context.text;
    if OTHER_WAYS.iter().any(|way| text.contains(way)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for call in &program.calls {
        let Some(needed) = needs(call) else { continue };
        let absent = needed
            .iter()
            .all(|name| matches!(given(call, name), Given::Absent));
        // A model that is trained has the layer.
        let is_trained = program.models.iter().enumerate().any(|(number, model)| {
            let has = model
                .layers
                .iter()
                .any(|layer| program.call(layer.call).range == call.range);
            let fits = || {
                program
                    .fits
                    .iter()
                    .any(|fit| fit.model == Some(program::ModelId(number)))
            };
            has && (fits() || program.gradient_tape)
        });
        let adapted = || {
            let code = context.tree()?;
            Some(is_adapted(code, code.at(call.range)?))
        };
        if !absent || !is_trained || adapted() != Some(false) {
            continue;
        }
        let class = call.class();
        let (kind, message) = if class == "Normalization" {
            (
                Kind::InputScale,
                "this `Normalization` is never adapted, so it takes a mean of 0 and a variance of 1 and the features reach the network \
                 as they are; call its `adapt` with the training features before `fit`, or give it `mean` and `variance`"
                    .to_owned(),
            )
        } else {
            (
                INFO.kind,
                format!(
                    "this `{class}` is never adapted and has no `{}`, so Keras raises an exception when it is called; call its \
                     `adapt` with the training data before `fit`",
                    needed.first().copied().unwrap_or_default()
                ),
            )
        };
        findings.push(Finding {
            kind,
            ..context.finding(&INFO, call.range, message)
        });
    }
    findings
}

/// Whether a layer may be adapted somewhere.
fn is_adapted<'a>(code: &Code<'a>, made: Node<'a>) -> bool {
    let name = made
        .parent()
        .filter(|parent| parent.is("assignment"))
        .and_then(|assignment| assignment.field(Field::Left))
        .map(|left| left.text());
    code.root()
        .all(&["call"])
        .into_iter()
        .filter_map(|call| call.method())
        .filter(|(method, _)| *method == "adapt")
        .any(|(_, object)| {
            // Only of a name that certainly stands for another layer it is known that it is not this one.
            let other = object.is("identifier")
                && code
                    .value(object)
                    .is_some_and(|value| value.is("call") && value.range() != made.range() && code.callee(value).is_some());
            Some(object.text()) == name || !other
        })
        // The layer may be handed to something that adapts it.
        || name.is_some_and(|name| {
            code.root().all(&["call"]).into_iter().any(|call| {
                let given = call.arguments().iter().any(|(_, value)| value.text() == name);
                given && code.callee(call).is_none() && call.method().is_none_or(|(method, _)| method != "add")
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(layer: &str, rest: &str) -> String {
        format!(
            "import keras\nfrom keras import layers\nn = layers.{layer}\n{rest}\nm = keras.Sequential([n, layers.Dense(8, 'relu'), layers.Dense(1)])\n\
             m.compile('adam', 'mse')\nm.fit(x, y)\n"
        )
    }

    #[test]
    fn tables() {
        let pass = [
            script("Normalization()", "n.adapt(x)"),
            script("Normalization(mean=3.0, variance=2.0)", ""),
            script("Normalization(-1, 3.0, 2.0)", ""),
            script("Normalization(**options)", ""),
            script("Normalization()", "for layer in (n,):\n    layer.adapt(x)"),
            script("Normalization()", "prepare(n, x)"),
            script("StringLookup(vocabulary=words)", ""),
            script("Discretization(bin_boundaries=[0.0, 1.0])", ""),
            script("Rescaling(1 / 255)", ""),
            script("Normalization()", "").replace("m.fit(x, y)", "m.load_weights('w')\nm.evaluate(x, y)"),
            "import keras\nclass A:\n    def __init__(self):\n        self.n = keras.layers.Normalization()\n    def f(self, x):\n        self.n.adapt(x)\n".to_owned(),
        ];
        let fail = [
            (script("Normalization()", ""), "layers.Normalization()"),
            (
                script("Normalization(axis=-1)", ""),
                "layers.Normalization(axis=-1)",
            ),
            (
                script("Normalization()", "v = layers.TextVectorization(9)\nv.adapt(z)"),
                "layers.Normalization()",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
