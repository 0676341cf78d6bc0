//! # shape-error (DL621)
//!
//! ## What it does
//! Finds layers that cannot take what the layer before gives: a kernel larger than its map, too few or too many axes, a
//! `Reshape` to another number of elements, merged tensors that do not fit.
//!
//! ## Why it matters
//! Keras raises an exception while the model is built. The shapes are followed from the `Input` or `input_shape` of the
//! model by Keras' own rules; where the input is not known, nothing is said.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     keras.Input((8, 8, 1)),
//!     layers.Conv2D(16, 9, activation="relu"),
//!     layers.Flatten(),
//!     layers.Dense(1),
//! ])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     keras.Input((8, 8, 1)),
//!     layers.Conv2D(16, 3, activation="relu"),
//!     layers.Flatten(),
//!     layers.Dense(1),
//! ])
//! ```
//!
//! ## Fix safety
//! No fix: the numbers are for the author to choose.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022 (shape mismatch, kernel larger than its input)
//! - `server/program/src/shape`, compared with Keras 3.15.1

use crate::context::Context;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL621",
    name: "shape-error",
    kind: Kind::Shape,
    severity: Severity::Error,
    source: include_str!("shape_error.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let failing: Vec<_> = context
        .program
        .shapes()
        .into_iter()
        .filter_map(|shape| Some((shape.error.clone()?, shape)))
        .collect();
    if failing.is_empty() {
        return Vec::new();
    }
    // These have rules of their own, which know what to do.
    let mut explained = super::missing_return_sequences::check(context);
    explained.extend(super::invalid_layer_size::check(context));
    let mut findings = Vec::new();
    for (error, shape) in failing {
        let Some(model) = context.program.model(shape.model) else {
            continue;
        };
        let own = model
            .layers
            .iter()
            .map(|layer| context.program.call(layer.call).range);
        let known = own
            .into_iter()
            .any(|range| explained.iter().any(|finding| range.contains(finding.range)));
        if known {
            continue;
        }
        findings.push(Finding {
            confidence: 0.95,
            layer: context.layer(model, shape.layer),
            ..context.finding(&INFO, error.range, error.message)
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
            layers("keras.Input((8, 8, 1)), L.Conv2D(4, 3), L.MaxPooling2D(), L.Flatten(), L.Dense(3)"),
            layers("L.Conv2D(4, 99), L.Flatten(), L.Dense(3)"),
            layers("keras.Input((5, 4)), L.LSTM(8, return_sequences=True), L.LSTM(8), L.Dense(1)"),
        ];
        let fail = [
            (
                layers("keras.Input((8, 8, 1)), L.Conv2D(4, kernel_size=9), L.Flatten(), L.Dense(3)"),
                "9",
            ),
            (
                layers("keras.Input((8, 8, 1)), L.Flatten(), L.Conv2D(4, 3), L.Dense(3)"),
                "L.Conv2D(4, 3)",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
