//! # normalization-of-one-value (DL625)
//!
//! ## What it does
//! Finds a LayerNormalization, RMSNormalization or UnitNormalization over a last axis of size 1, as behind a layer with
//! one unit.
//!
//! ## Why it matters
//! These normalise the values of a sample by each other. A single value is its own mean, so LayerNormalization gives the
//! same number for every sample; the others divide it by itself and leave its sign. Nothing of the sample gets past the
//! layer, and no gradient comes back through it.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1), layers.LayerNormalization(), layers.Activation("sigmoid")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1), layers.Activation("sigmoid")])
//! ```
//!
//! ## Fix safety
//! Unsafe: the layer is taken out. No fix where it is not a list item or a statement of its own.
//!
//! ## References
//! - `keras.layers.LayerNormalization`
//! - Ba, Kiros, Hinton: Layer Normalization, 2016

use finding::{Applicability, Finding, Fix, Kind, Range, RuleInfo, Severity};
use program::{Call, Source, Value};

use crate::context::{Context, Given, given};
use crate::read::{Head, compact, layer_class};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL625",
    name: "normalization-of-one-value",
    kind: Kind::RedundantLayer,
    severity: Severity::Error,
    source: include_str!("normalization_of_one_value.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    if !program.calls.iter().any(over_last_axis) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for shape in program.shapes() {
        let Some((model, layer)) = program
            .model(shape.model)
            .and_then(|model| Some((model, model.layers.get(shape.layer)?)))
        else {
            continue;
        };
        let call = program.call(shape.call);
        if !over_last_axis(call) {
            continue;
        }
        let one = match &shape.input {
            Some(input) => input.0.len() > 1 && input.0.last() == Some(&Some(1)),
            None => match layer.inputs.as_slice() {
                [Source::Layer(before)] => model
                    .layers
                    .get(*before)
                    .and_then(|before| Head::of_layer(program, program.call(before.call)))
                    .is_some_and(|head| head.units == Some(1)),
                _ => false,
            },
        };
        if !one {
            continue;
        }
        let message = if call.class() == "LayerNormalization" {
            "the input has one value per sample, which is its own mean: less that mean it is 0, so every sample gets the same output \
             and no gradient comes back through this layer; take it out"
        } else {
            "the input has one value per sample, which is divided by its own size: only its sign is left, and no gradient comes \
             back through this layer; take it out"
        };
        findings.push(Finding {
            confidence: 0.96,
            layer: context.layer(model, shape.layer),
            fixes: without(context, call).into_iter().collect(),
            ..context.finding(&INFO, call.range, message)
        });
    }
    findings
}

/// Whether a layer normalises the values along the last axis by each other.
fn over_last_axis(call: &Call) -> bool {
    let normalises = matches!(
        layer_class(call),
        Some("LayerNormalization" | "RMSNormalization" | "UnitNormalization")
    );
    normalises
        && match given(call, "axis") {
            Given::Absent => true,
            Given::Value(axis) => axis.value == Value::Int(-1),
            Given::Unknown => false,
        }
}

/// Takes a layer out, where it is a list item or a line of its own behind another statement.
fn without(context: &Context<'_>, call: &Call) -> Option<Fix> {
    let text = context.text;
    let take = |range| context.fix("Take the layer out", Applicability::Unsafe, range, "");
    let before = text.get(..call.range.start)?;
    let after = text.get(call.range.end..)?;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = call.range.end + after.find('\n').map_or(after.len(), |at| at + 1);
    let line = text.get(start..end)?;
    let written = compact(line);
    let called = compact(call.range.slice(text));
    let passes_on = written.split_once('=').is_some_and(|(name, value)| {
        value
            .strip_prefix(called.as_str())
            .is_some_and(|rest| rest == format!("({name})"))
    });
    let added = written
        .strip_suffix(')')
        .and_then(|written| written.strip_suffix(called.as_str()))
        .is_some_and(|rest| rest.ends_with(".add(") && !rest.contains([';', '#', ':']));
    if passes_on || added {
        let indentation = |line: &str| line.len() - line.trim_start().len();
        let above = text.get(..start)?.lines().next_back()?;
        let aligned = !above.trim().is_empty() && indentation(above) == indentation(line);
        return aligned.then(|| take(Range::new(start, end)));
    }
    let opened = before.trim_end();
    if opened.ends_with([',', '[']) && after.starts_with(',') {
        let blanks = after
            .get(1..)?
            .chars()
            .take_while(|letter| *letter == ' ')
            .count();
        return Some(take(Range::new(call.range.start, call.range.end + 1 + blanks)));
    }
    (opened.ends_with(',') && after.starts_with(']'))
        .then(|| take(Range::new(opened.len() - 1, call.range.end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let functional = |norm: &str| {
            format!(
                "import keras\nfrom keras import layers as L\ni = keras.Input((4,))\nx = L.Dense(1)(i)\n{norm}m = keras.Model(i, \
                 L.Activation('sigmoid')(x))\n"
            )
        };
        let pass = [
            layers("L.Dense(8), L.LayerNormalization(), L.Dense(1)"),
            layers("L.Dense(1), L.BatchNormalization()"),
            layers("L.Dense(n), L.LayerNormalization()"),
            layers("L.Dense(1), L.LayerNormalization(axis=1)"),
            layers("L.Dense(1), L.LayerNormalization(**options)"),
            layers("L.Dense(1), L.RepeatVector(4), L.Permute((2, 1)), L.LayerNormalization()"),
            layers("keras.Input((7,)), L.LayerNormalization(), L.Dense(1)"),
        ];
        let fail = [
            (
                layers("L.Dense(8), L.Dense(1), L.LayerNormalization()"),
                "L.LayerNormalization()",
            ),
            (
                layers("L.Dense(8), L.Dense(1), L.UnitNormalization(), L.Dense(2)"),
                "L.UnitNormalization()",
            ),
            (
                layers("keras.Input((20, 1)), L.LayerNormalization(), L.LSTM(8), L.Dense(1)"),
                "L.LayerNormalization()",
            ),
            (
                layers("L.LSTM(1), L.RMSNormalization(axis=-1)"),
                "L.RMSNormalization(axis=-1)",
            ),
        ];
        let fix = [
            (
                layers("L.Dense(8), L.Dense(1), L.LayerNormalization()"),
                layers("L.Dense(8), L.Dense(1)"),
            ),
            (
                layers("L.Dense(1), L.UnitNormalization(), L.Dense(2)"),
                layers("L.Dense(1), L.Dense(2)"),
            ),
            (functional("x = L.LayerNormalization()(x)\n"), functional("")),
        ];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
