//! # label-columns-unlike-output (DL423)
//!
//! ## What it does
//! Finds regressions whose labels have another number of columns than the output has units, where both can be read off the
//! script.
//!
//! ## Why it matters
//! With one column, or one unit, nothing raises: the loss compares every unit with the one column, or the one unit with every
//! column. All units then learn the same number, or the one unit learns something between all columns. With several of both
//! that differ, `fit` raises an exception.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! y = np.random.normal(size=(500, 3))
//! model = keras.Sequential([layers.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! y = np.random.normal(size=(500, 3))
//! model = keras.Sequential([layers.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(3)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! Unsafe: the output gets a unit per column.
//!
//! ## References
//! - `keras.losses.MeanSquaredError`; compared with Keras 3.15.1. DL707 shows the same by a run.

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::Size;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL423",
    name: "label-columns-unlike-output",
    kind: Kind::LayerSize,
    severity: Severity::Warning,
    source: include_str!("label_columns_unlike_output.rs"),
};

/// Losses that compare number by number.
const BY_NUMBER: [&str; 7] = [
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "huber_loss",
    "log_cosh",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut asked = Vec::new();
    for training in &context.trainings {
        let (Some(y), Some(output)) = (training.fit.argument("y"), context.output_of_fit(training.fit))
        else {
            continue;
        };
        let units = output.head.units.filter(|_| {
            BY_NUMBER.contains(&output.loss.name)
                && output.head.call.class() == "Dense"
                && output.model.complete
        });
        if let (Some(units), Some(argument)) = (units, output.head.call.argument("units")) {
            asked.push((y.value.range, output, units, argument));
        }
    }
    let arrays: Vec<Range> = asked.iter().map(|(y, ..)| *y).collect();
    let sizes = context.program.array_sizes(context.text, &arrays);
    let mut findings = Vec::new();
    if sizes.iter().all(Option::is_none) {
        return findings;
    }
    let shapes = context.program.shapes();
    for ((y, output, units, argument), sizes) in asked.into_iter().zip(sizes) {
        let is_model = |id: program::ModelId| {
            let model = context.program.model(id);
            model.is_some_and(|other| std::ptr::eq(other, output.model))
        };
        // Per sample, not per time step or pixel.
        let flat = shapes
            .iter()
            .rfind(|shape| is_model(shape.model))
            .and_then(|shape| shape.output.as_ref())
            .is_some_and(|shape| shape.0.len() == 2);
        let columns = match sizes.as_deref() {
            Some([_]) => 1,
            Some([_, Size::Number(columns)]) => *columns,
            _ => continue,
        };
        if !flat || columns == units || columns < 1 {
            continue;
        }
        let name = y.slice(context.text);
        let plural =
            |number: i64, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        let (severity, effect) = match (units, columns) {
            (_, 1) => (
                Severity::Warning,
                "every unit is compared with the same number and all learn the same",
            ),
            (1, _) => (
                Severity::Warning,
                "the unit is compared with every column and learns something between them",
            ),
            _ => (
                Severity::Error,
                "the loss cannot compare them and `fit` raises an exception",
            ),
        };
        let message = format!(
            "the output has {} and `{name}` has {}: {effect}; use {}",
            plural(units, "unit"),
            plural(columns, "column"),
            plural(columns, "unit"),
        );
        let fix = context.fix(
            format!("Use {}", plural(columns, "unit")),
            Applicability::Unsafe,
            argument.value.origin,
            columns.to_string(),
        );
        findings.push(Finding {
            severity,
            confidence: 0.93,
            layer: context.layer(output.model, output.head.position),
            fixes: vec![fix],
            ..context.finding(&INFO, argument.value.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(y: &str, units: &str, loss: &str) -> String {
        format!(
            "import keras\nimport numpy as np\nfrom keras import layers as L\n{y}\n\
             m = keras.Sequential([L.Input((4,)), L.Dense(8, 'relu'), L.Dense({units})])\nm.compile('adam', '{loss}')\nm.fit(x, y)\n"
        )
    }

    #[test]
    fn tables() {
        let three = "y = np.random.normal(size=(500, 3))";
        let one = "y = np.random.normal(size=500)";
        let pass = [
            script(three, "3", "mse"),
            script(one, "1", "mse"),
            script("y = np.random.normal(size=(500, 1))", "1", "mse"),
            script("y = load()", "3", "mse"),
            script("y = np.random.normal(size=(500, k))", "3", "mse"),
            script(three, "k", "mse"),
            script("y = np.random.normal(size=(500, 3))\ny = y[:, 0]", "1", "mae"),
            script("y = np.random.normal(size=(500, 3))\ny = other(y)", "1", "mae"),
        ];
        let fail = [
            (script(three, "1", "mse"), "1"),
            (script(one, "3", "mae"), "3"),
            (script("y = np.random.normal(size=(500, 1))", "3", "mse"), "3"),
            (script(three, "2", "mse"), "2"),
            (
                script(
                    "a = np.random.normal(size=(500, 3))\ny = a[:, :2] * 2",
                    "1",
                    "mse",
                ),
                "1",
            ),
        ];
        let fix = [(script(three, "1", "mse"), script(three, "3", "mse"))];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
