//! # accuracy-of-regression (DL108)
//!
//! ## What it does
//! Finds models with one linear output unit and a loss for numbers that are judged by accuracy.
//!
//! ## Why it matters
//! Accuracy counts how often the prediction is the label. For numbers Keras 3 compares the label with "prediction above
//! 0.5", which says nothing: it stays near 0 however well the network learns, and people look for a fault that is not
//! there. If the labels are 0 and 1 instead, the metric is right and the output and the loss are not.
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics=["accuracy"])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics=["mae"])
//! ```
//!
//! ## Fix safety
//! Unsafe: the name of the metric changes in logs and callbacks.
//!
//! ## References
//! - `keras/src/trainers/compile_utils.py` of Keras 3.15.1 (`get_metric`): one output column gives `BinaryAccuracy`

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::{Expr, Value};

use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL108",
    name: "accuracy-of-regression",
    kind: Kind::Metric,
    severity: Severity::Information,
    source: include_str!("accuracy_of_regression.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .outputs
        .iter()
        .filter_map(|output| of_output(context, output))
        .collect()
}

fn of_output(context: &Context<'_>, output: &Output<'_>) -> Option<Finding> {
    let (head, loss) = (&output.head, &output.loss);
    if head.activation != "linear" || head.units != Some(1) || !loss.is_regression() {
        return None;
    }
    let range = accuracy(&output.compile.argument("metrics")?.value)?;
    let message = format!(
        "accuracy counts predictions that equal the label, which means nothing when `{}` fits numbers: it stays low however \
         well the network learns. Watch `mae` instead; if the labels are 0 and 1, use a sigmoid output and binary \
         cross-entropy",
        loss.name
    );
    let (range, new) = context.replace_name(range, "accuracy", "mae")?;
    let fix = context.fix("Watch the mean absolute error", Applicability::Unsafe, range, new);
    Some(Finding {
        confidence: 0.7,
        fixes: vec![fix],
        ..context.finding(&INFO, range, message)
    })
}

/// Where accuracy is asked for.
fn accuracy(metrics: &Expr) -> Option<Range> {
    match &metrics.value {
        Value::Str(name) => matches!(name.as_str(), "accuracy" | "acc").then_some(metrics.range),
        Value::List(metrics) => metrics.iter().find_map(accuracy),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [
            model("L.Dense(1)", "'mse', metrics=['mae']"),
            model("L.Dense(1, 'sigmoid')", "'mse', metrics=['accuracy']"),
            model("L.Dense(10)", "'mse', metrics=['accuracy']"),
            model(
                "L.Dense(1)",
                "keras.losses.BinaryCrossentropy(from_logits=True), metrics=['accuracy']",
            ),
        ];
        let fail = [
            (
                model("L.Dense(1)", "'mse', metrics=['mae', 'accuracy']"),
                "'accuracy'",
            ),
            (
                model("L.Dense(1, activation='linear')", "loss='mae', metrics=['acc']"),
                "'acc'",
            ),
        ];
        let fix = [(
            model("L.Dense(1)", "loss='mse', metrics=['accuracy']"),
            model("L.Dense(1)", "loss='mse', metrics=['mae']"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
