//! # layer-class (DL612)
//!
//! ## What it does
//! Finds a layer class in a model where a layer belongs (`Flatten` instead of `Flatten()`).
//!
//! ## Why it matters
//! Keras raises `ValueError: Only instances of keras.Layer can be added to a Sequential model`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Flatten, layers.Dense(10)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10)])
//! ```
//!
//! ## Fix safety
//! Safe for layers that need no arguments; otherwise there is no fix.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::{Expr, Value};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL612",
    name: "layer-class",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("layer_class.rs"),
};

/// Layers that need no arguments.
const WITHOUT_ARGUMENTS: [&str; 14] = [
    "Flatten",
    "BatchNormalization",
    "LayerNormalization",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "PReLU",
    "Softmax",
    "MaxPooling1D",
    "MaxPooling2D",
    "AveragePooling2D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling1D",
    "GlobalMaxPooling2D",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        let argument = match call.callee.as_str() {
            "keras.Sequential" => call.argument("layers"),
            "Model.add" => call.argument("layer"),
            _ => None,
        };
        let Some(argument) = argument else { continue };
        let elements: &[Expr] = match &argument.value.value {
            Value::List(list) => list,
            _ => std::slice::from_ref(&argument.value),
        };
        findings.extend(elements.iter().filter_map(|element| of_element(context, element)));
    }
    findings
}

fn of_element(context: &Context<'_>, element: &Expr) -> Option<Finding> {
    let Value::Reference(name) = &element.value else {
        return None;
    };
    let class = name
        .strip_prefix("keras.layers.")
        .filter(|class| class.starts_with(char::is_uppercase))?;
    let message = format!(
        "`{class}` is the class; a model takes layers, which are made by calling it, and raises an exception otherwise: write \
         `{class}(…)`"
    );
    let end = element.range.end;
    let fix = WITHOUT_ARGUMENTS.contains(&class).then(|| {
        context.fix(
            "Make a layer of it",
            Applicability::Safe,
            Range::new(end, end),
            "()",
        )
    });
    Some(Finding {
        confidence: 0.96,
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, element.range, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [layers("L.Flatten(), L.Dense(1)"), layers("layer, L.Dense(1)")];
        let fail = [
            (layers("L.Flatten, L.Dense(1)"), "L.Flatten"),
            (
                "import keras\nm = keras.Sequential()\nm.add(keras.layers.Dense)".to_owned(),
                "keras.layers.Dense",
            ),
        ];
        let fix = [(layers("L.Flatten, L.Dense(1)"), layers("L.Flatten(), L.Dense(1)"))];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
