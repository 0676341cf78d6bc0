//! # missing-flatten (DL602)
//!
//! ## What it does
//! Finds classifiers that go from convolution or pooling to Dense without flattening the map.
//!
//! ## Why it matters
//! Dense works on the last axis only, so the output keeps the height and width of the map, and the loss raises an
//! exception: a label per image does not fit a prediction per pixel. The rule speaks where the labels are known to be
//! one per image; elsewhere it is a warning.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     layers.Conv2D(16, 3, activation="relu"),
//!     layers.MaxPooling2D(),
//!     layers.Dense(10, activation="softmax"),
//! ])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     layers.Conv2D(16, 3, activation="relu"),
//!     layers.MaxPooling2D(),
//!     layers.Flatten(),
//!     layers.Dense(10, activation="softmax"),
//! ])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! Unsafe: GlobalAveragePooling2D is the other way, with fewer weights. Offered where the layers are written as
//! attributes of a module.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022 (missing flatten)
//! - Measured on Keras 3.15.1: "Arguments `target` and `output` must have the same rank"

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::{Call, Fit};

use crate::context::{Context, Output};
use crate::read::{Chain, is_convolution, is_passive};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL602",
    name: "missing-flatten",
    kind: Kind::MissingLayer,
    severity: Severity::Error,
    source: include_str!("missing_flatten.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .outputs
        .iter()
        .filter_map(|output| {
            let chain = context
                .chains
                .iter()
                .find(|chain| std::ptr::eq(chain.model, output.model))?;
            of_chain(context, output, chain)
        })
        .collect()
}

fn of_chain(context: &Context<'_>, output: &Output<'_>, chain: &Chain<'_>) -> Option<Finding> {
    let is_map = |call: &Call| {
        let class = call.class();
        (is_convolution(class) && !class.contains("Conv1D"))
            || matches!(
                class,
                "MaxPooling2D" | "AveragePooling2D" | "MaxPooling3D" | "AveragePooling3D"
            )
    };
    let last_map = chain.layers.iter().rposition(|call| is_map(call))?;
    let rest = chain.layers.get(last_map + 1..)?;
    // A single Dense may be meant as a convolution of size 1; two or more, or one with classes, hardly are.
    let keeps_rank = |call: &&Call| {
        call.class() == "Dense"
            || is_passive(call)
            || matches!(
                call.class(),
                "Activation" | "ReLU" | "LeakyReLU" | "Softmax" | "BatchNormalization"
            )
    };
    let first_dense = rest.iter().position(|call| call.class() == "Dense")?;
    if !rest.iter().all(keeps_rank) || !output.loss.name.ends_with("crossentropy") {
        return None;
    }
    let labels_per_image = context
        .program
        .fits
        .iter()
        .enumerate()
        .any(|(index, fit)| one_label_per_sample(context, output, index, fit));
    let dense = *rest.get(first_dense)?;
    // The layer after which one is missing.
    let before = match first_dense.checked_sub(1) {
        Some(position) => *rest.get(position)?,
        None => *chain.layers.get(last_map)?,
    };
    let message = "the map of height and width that comes out of this layer reaches a Dense layer as it is, so the model predicts \
                   per pixel, which does not fit one label per image; put `Flatten()` or `GlobalAveragePooling2D()` after it";
    let written = dense.callee_range.slice(context.text);
    let prefix = written
        .strip_suffix("Dense")
        .filter(|prefix| prefix.ends_with('.'));
    let line = context
        .text
        .get(..dense.range.start)
        .and_then(|text| text.rsplit('\n').next())?;
    let blank = line.chars().all(char::is_whitespace);
    let fix = prefix
        .filter(|_| blank || line.trim_end().ends_with([',', '[']))
        .map(|prefix| {
            let gap = if blank {
                format!("\n{line}")
            } else {
                " ".to_owned()
            };
            let place = Range::new(dense.range.start, dense.range.start);
            context.fix(
                "Flatten the map first",
                Applicability::Unsafe,
                place,
                format!("{prefix}Flatten(),{gap}"),
            )
        });
    Some(Finding {
        severity: if labels_per_image {
            Severity::Error
        } else {
            Severity::Warning
        },
        confidence: if labels_per_image { 0.97 } else { 0.85 },
        layer: context.layer(chain.model, chain.position(last_map + first_dense)),
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, before.range, message)
    })
}

fn one_label_per_sample(context: &Context<'_>, output: &Output<'_>, index: usize, fit: &Fit) -> bool {
    let mine = fit
        .compile
        .is_some_and(|compile| std::ptr::eq(context.program.call(compile), output.compile));
    mine && context
        .sets()
        .get(index)
        .and_then(|sets| sets.training.y.as_ref())
        .is_some_and(|labels| labels.one_per_sample(context.program))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [
            model(
                "L.Conv2D(8, 3), L.Flatten(), L.Dense(3, 'softmax')",
                "'categorical_crossentropy'",
            ),
            model(
                "L.Conv2D(8, 3), L.GlobalMaxPooling2D(), L.Dense(3, 'softmax')",
                "'categorical_crossentropy'",
            ),
            model(
                "L.Conv2D(8, 3), L.Reshape((-1,)), L.Dense(3, 'softmax')",
                "'categorical_crossentropy'",
            ),
            model(
                "L.Conv2D(3, 3, activation='softmax')",
                "'categorical_crossentropy'",
            ),
            model(
                "L.Conv1D(8, 3), L.Dense(3, 'softmax')",
                "'categorical_crossentropy'",
            ),
        ];
        let fail = [
            (
                model(
                    "L.Conv2D(8, 3), L.Dense(3, 'softmax')",
                    "'categorical_crossentropy'",
                ),
                "L.Conv2D(8, 3)",
            ),
            (
                model(
                    "L.Conv2D(8, 3), L.MaxPooling2D(), L.Dense(8, 'relu'), L.Dropout(0.5), L.Dense(1, 'sigmoid')",
                    "'binary_crossentropy'",
                ),
                "L.MaxPooling2D()",
            ),
        ];
        let fix = [(
            model(
                "L.Conv2D(8, 3), L.Dense(3, 'softmax')",
                "'categorical_crossentropy'",
            ),
            model(
                "L.Conv2D(8, 3), L.Flatten(), L.Dense(3, 'softmax')",
                "'categorical_crossentropy'",
            ),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
