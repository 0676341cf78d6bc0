//! # invalid-layer-size (DL614)
//!
//! ## What it does
//! Finds units, filters, kernels, pools and strides that are zero, negative or not whole.
//!
//! ## Why it matters
//! Keras raises `ValueError` when the layer is made. In Python 3, `128 / 2` is the float 64.0; the whole number is `128
//! // 2`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(128 / 2)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(128 // 2)
//! ```
//!
//! ## Fix safety
//! Safe where a quotient comes out whole: it is written with `//`. Otherwise there is no fix.
//!
//! ## References
//! - Measured on Keras 3.15.1: "expected a positive integer"

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Expr, Value};

use crate::context::Context;
use crate::read::{has_units, layer_class};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL614",
    name: "invalid-layer-size",
    kind: Kind::LayerSize,
    severity: Severity::Error,
    source: include_str!("invalid_layer_size.rs"),
};

/// Arguments that count something.
const SIZES: [&str; 6] = [
    "units",
    "filters",
    "kernel_size",
    "pool_size",
    "strides",
    "output_dim",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        let class = layer_class(call).unwrap_or_default();
        if !has_units(call) && !class.contains("Pooling") && class != "Embedding" {
            continue;
        }
        for name in SIZES {
            let Some(argument) = call.argument(name) else {
                continue;
            };
            let invalid = match &argument.value.value {
                Value::List(list) => list.iter().find_map(|size| invalid(class, name, size)),
                _ => invalid(class, name, &argument.value),
            };
            let Some((shown, whole)) = invalid else { continue };
            let message =
                format!("`{name}` of {class} must be a positive whole number; {shown} raises an exception");
            let written = argument.value.origin.slice(context.text);
            let fix = (whole && written.matches('/').count() == 1).then(|| {
                context.fix(
                    "Divide without remainder",
                    Applicability::Safe,
                    argument.value.origin,
                    written.replace('/', "//"),
                )
            });
            findings.push(Finding {
                confidence: 0.96,
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, argument.value.range, message)
            });
        }
    }
    findings
}

/// How an invalid size is shown, and whether only the type is wrong.
fn invalid(class: &str, name: &str, size: &Expr) -> Option<(String, bool)> {
    match size.value {
        Value::Int(number @ ..1) => Some((number.to_string(), false)),
        // Elsewhere Keras takes a float that is whole.
        Value::Float(number) if class == "Dense" && name == "units" => {
            Some((format!("{number:?}"), number.fract() == 0.0 && number > 0.0))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.Dense(64 // 2), L.ReLU(), L.Dense(n / 2)"),
            layers("L.Conv2D(8, (3, 3), strides=2), L.MaxPooling2D((2, 2))"),
            layers("L.MaxPooling2D(2, strides=None), L.Dense(1)"),
        ];
        let fail = [
            (layers("L.Dense(0)"), "0"),
            (layers("L.Dense(128 / 2)"), "128 / 2"),
            (layers("L.Conv2D(8, (3, 0))"), "(3, 0)"),
        ];
        let fix = [(layers("L.Dense(128 / 2)"), layers("L.Dense(128 // 2)"))];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
