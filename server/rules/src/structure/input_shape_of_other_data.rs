//! # input-shape-of-other-data (DL627)
//!
//! ## What it does
//! Finds models whose `Input` or `input_shape` says another shape than the array has that `fit` is given, where both can be
//! read off the script.
//!
//! ## Why it matters
//! Keras compares the two when the first batch comes and raises an exception.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! x = np.random.normal(size=(500, 8, 32))
//! model = keras.Sequential([layers.Input((32, 8)), layers.Conv1D(16, 3, activation="relu"), layers.Flatten(), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! x = np.random.normal(size=(500, 8, 32)).transpose(0, 2, 1)
//! model = keras.Sequential([layers.Input((32, 8)), layers.Conv1D(16, 3, activation="relu"), layers.Flatten(), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! Unsafe: the shape of the data is put in where the shape of a sample is written out. No fix where the data has the same axes in
//! another order: these are to be moved with `transpose`.
//!
//! ## References
//! - `keras.Input`; compared with Keras 3.15.1, which gives an array another axis of size 1 or takes one away at the end

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::{Call, Model, ModelKind, Size, Source, Value};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL627",
    name: "input-shape-of-other-data",
    kind: Kind::Shape,
    severity: Severity::Error,
    source: include_str!("input_shape_of_other_data.rs"),
};

/// Arguments that say the shape of the input.
const SAYING: [&str; 5] = [
    "shape",
    "batch_shape",
    "input_shape",
    "batch_input_shape",
    "input_dim",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut asked = Vec::new();
    for training in &context.trainings {
        let Some(model) = training.model.filter(|model| !model.custom_loss) else {
            continue;
        };
        if let (Some(x), Some(position)) = (training.fit.argument("x"), only_input(model)) {
            // A list holds an array per input.
            if !matches!(x.value.value, Value::List(_)) {
                asked.push((x.value.range, model, position));
            }
        }
    }
    let arrays: Vec<Range> = asked.iter().map(|(x, ..)| *x).collect();
    let mut findings: Vec<Finding> = Vec::new();
    let sizes = context.program.array_sizes(context.text, &arrays);
    if sizes.iter().all(Option::is_none) {
        return findings;
    }
    let shapes = context.program.shapes();
    for ((x, model, position), sizes) in asked.into_iter().zip(sizes) {
        let layer = model.layers.get(position).map(|layer| layer.call);
        let is_model = |id: program::ModelId| {
            context
                .program
                .model(id)
                .is_some_and(|other| std::ptr::eq(other, model))
        };
        let declared = shapes
            .iter()
            .find(|shape| is_model(shape.model) && shape.layer == position && Some(shape.call) == layer)
            .and_then(|shape| shape.input.as_ref());
        let (Some(sizes), Some(declared), Some(argument)) = (sizes, declared, said(context, model, position))
        else {
            continue;
        };
        if fits(&sizes, &declared.0) {
            continue;
        }
        let sample = sample(&sizes);
        let mut same = declared.0.iter().skip(1).map(shown).collect::<Vec<_>>();
        let mut axes: Vec<String> = sizes.iter().skip(1).map(Size::to_string).collect();
        let written = sample_of(&same);
        same.sort();
        axes.sort();
        let moved = same == axes;
        let advice = if moved {
            "move the axes of the data with `transpose`"
        } else {
            "make the two the same"
        };
        let message = format!(
            "the model is made for samples of shape {written} and `{}` has samples of shape {sample}, so `fit` raises an exception; \
             {advice}",
            x.slice(context.text)
        );
        let numbers = sizes.iter().skip(1).all(|size| matches!(size, Size::Number(_)));
        let literal = argument.slice(context.text);
        let plain = literal.starts_with('(') && !literal.contains("None");
        let fix = (numbers && plain && !moved).then(|| {
            context.fix(
                "Take the shape of the data",
                Applicability::Unsafe,
                argument,
                sample.clone(),
            )
        });
        findings.push(Finding {
            confidence: 0.95,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, argument, message)
        });
    }
    findings
}

fn shown(size: &Option<u64>) -> String {
    size.map_or_else(|| "None".to_owned(), |size| size.to_string())
}

/// The shape of a sample, as it is written.
fn sample(sizes: &[Size]) -> String {
    let sizes: Vec<String> = sizes.iter().skip(1).map(Size::to_string).collect();
    sample_of(&sizes)
}

fn sample_of(sizes: &[String]) -> String {
    match sizes {
        [one] => format!("({one},)"),
        several => format!("({})", several.join(", ")),
    }
}

/// The first layer of a model, where that is the only one that is given the input.
fn only_input(model: &Model) -> Option<usize> {
    if !matches!(model.kind, ModelKind::Sequential | ModelKind::Functional) || !model.complete {
        return None;
    }
    let first = match model.layers.first()?.inputs.as_slice() {
        [source @ Source::Input(_)] => *source,
        _ => return None,
    };
    let others = model.layers.iter().skip(1).flat_map(|layer| &layer.inputs);
    others
        .filter(|source| matches!(source, Source::Input(_)))
        .all(|source| *source == first && first != Source::Input(None))
        .then_some(0)
}

/// Where the shape of the input is written.
fn said(context: &Context<'_>, model: &Model, position: usize) -> Option<Range> {
    let layer = model.layers.get(position)?;
    let call: &Call = match layer.inputs.first()? {
        Source::Input(Some(input)) => context.program.call(*input),
        _ => context.program.call(layer.call),
    };
    SAYING
        .iter()
        .find_map(|name| call.argument(name))
        .map(|argument| argument.value.range)
}

/// Whether Keras takes an array of these sizes for an input of that shape, as far as both are known.
fn fits(sizes: &[Size], declared: &[Option<u64>]) -> bool {
    let may_be_one = |size: Option<&Size>| !matches!(size, Some(Size::Number(number)) if *number != 1);
    let rank = sizes.len();
    if rank < 2 {
        return true;
    }
    if rank == declared.len() + 1 {
        return may_be_one(sizes.last());
    }
    if rank + 1 == declared.len() {
        return matches!(declared.last(), Some(Some(1) | None));
    }
    rank == declared.len()
        && sizes
            .iter()
            .zip(declared)
            .skip(1)
            .all(|(size, declared)| match (size, declared) {
                (Size::Number(size), Some(declared)) => {
                    u64::try_from(*size).is_ok_and(|size| size == *declared)
                }
                _ => true,
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(x: &str, first: &str) -> String {
        format!(
            "import keras\nimport numpy as np\nfrom keras import layers as L\nx = {x}\nm = keras.Sequential([{first}])\n\
             m.compile('adam', 'mse')\nm.fit(x, y)\n"
        )
    }

    #[test]
    fn tables() {
        let flat = "L.Input((10,)), L.Dense(8, 'relu'), L.Dense(1)";
        let steps = "L.Input((32, 8)), L.Conv1D(4, 3, activation='relu'), L.GlobalMaxPooling1D(), L.Dense(1)";
        let drawn = |sizes: &str| format!("np.random.normal(size=({sizes}))");
        let pass = [
            script(&drawn("500, 10"), flat),
            script(&drawn("500, 10, 1"), flat),
            script(&drawn("500, n"), flat),
            script(&drawn("500, 32, 8"), steps),
            script(&drawn("500, 40, 8"), "L.Input((None, 8)), L.LSTM(4), L.Dense(1)"),
            script(&drawn("500, 32"), "L.Input((32, 1)), L.LSTM(4), L.Dense(1)"),
            script(&drawn("500, 12"), "L.Dense(8, 'relu'), L.Dense(1)"),
            script("load()", flat),
            script("load().reshape((-1,) + Config.shape)", flat),
            script("np.zeros(shape)", flat),
            script(&format!("[{}]", drawn("500, 10")), flat),
            script(&format!("load() * {}", drawn("10,")), flat),
            script(
                &drawn("500, 256"),
                "L.Input((n,)), L.Dense(8, 'relu'), L.Dense(1)",
            ),
            script(&format!("{}.reshape(-1, 32, 8)", drawn("500, 256")), steps),
        ];
        let fail = [
            (script(&drawn("500, 12"), flat), "(10,)"),
            (script(&drawn("500, 8, 32"), steps), "(32, 8)"),
            (script(&drawn("500, 256"), steps), "(32, 8)"),
            (script(&drawn("500, 10, 2"), flat), "(10,)"),
            (
                script(
                    &drawn("500, 12"),
                    "L.Dense(8, 'relu', input_shape=(10,)), L.Dense(1)",
                ),
                "(10,)",
            ),
            (
                script(&drawn("500, 12"), "L.Dense(8, 'relu', input_dim=10), L.Dense(1)"),
                "10",
            ),
            (
                script(&drawn("500, 40, 6"), "L.Input((None, 8)), L.LSTM(4), L.Dense(1)"),
                "(None, 8)",
            ),
        ];
        let fix = [(
            script(&drawn("500, 12"), flat),
            script(
                &drawn("500, 12"),
                "L.Input((12,)), L.Dense(8, 'relu'), L.Dense(1)",
            ),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
