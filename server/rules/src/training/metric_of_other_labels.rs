//! # metric-of-other-labels (DL501)
//!
//! ## What it does
//! Finds metrics that read the labels differently than the loss does, such as `categorical_accuracy` with a sparse
//! loss.
//!
//! ## Why it matters
//! Metrics named outright are not adapted to the labels (only `"accuracy"` is). With class numbers,
//! `categorical_accuracy` compares the wrong things and shows chance level; with one-hot labels
//! `sparse_categorical_accuracy` raises; `binary_accuracy` of one-hot labels counts the many zeros and looks far too
//! good; `Precision`, `Recall` and `AUC` cannot take class numbers at all.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["categorical_accuracy"])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
//! ```
//!
//! ## Fix safety
//! Unsafe: the name of the metric changes in logs and callbacks. Metrics other than accuracies have no fix.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Expr, Program, Value};

use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL501",
    name: "metric-of-other-labels",
    kind: Kind::Metric,
    severity: Severity::Warning,
    source: include_str!("metric_of_other_labels.rs"),
};

/// Metrics that want a column per class.
const ONE_HOT: [&str; 2] = ["categoricalaccuracy", "topkcategoricalaccuracy"];
/// Metrics that want class numbers.
const SPARSE: [&str; 2] = ["sparsecategoricalaccuracy", "sparsetopkcategoricalaccuracy"];
/// Metrics that look at each unit for itself.
const PER_UNIT: [&str; 4] = ["binaryaccuracy", "precision", "recall", "auc"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for output in &context.outputs {
        let Some(metrics) = output.compile.argument("metrics") else {
            continue;
        };
        let Value::List(list) = &metrics.value.value else {
            continue;
        };
        findings.extend(
            list.iter()
                .filter_map(|metric| of_metric(context, output, metric)),
        );
    }
    findings
}

fn of_metric(context: &Context<'_>, output: &Output<'_>, metric: &Expr) -> Option<Finding> {
    let written = name(context.program, &metric.value)?;
    let plain = written.replace('_', "").to_ascii_lowercase();
    let is = |names: &[&str]| names.contains(&plain.as_str());
    let reason = match output.loss.name {
        "sparse_categorical_crossentropy" if is(&ONE_HOT) || is(&PER_UNIT) => {
            "wants a column per class, but the loss says that the labels are class numbers"
        }
        "categorical_crossentropy" if is(&SPARSE) => {
            "wants class numbers, but the loss says that the labels have a column per class"
        }
        "categorical_crossentropy" if is(&["binaryaccuracy"]) => {
            "counts every zero of the one-hot labels as a hit, so it looks far better than the network is"
        }
        _ => return None,
    };
    let accuracy = plain.ends_with("accuracy") && !plain.contains("topk");
    let advice = if accuracy {
        "use `accuracy`, which adapts to the labels"
    } else {
        "change the labels and the loss, or the metric"
    };
    let message = format!("`{written}` {reason}; {advice}");
    let fix = context
        .replace_name(metric.range, &written, "accuracy")
        .filter(|_| accuracy && matches!(metric.value, Value::Str(_)));
    let fix = fix.map(|(range, text)| context.fix("Use accuracy", Applicability::Unsafe, range, text));
    Some(Finding {
        confidence: 0.9,
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, metric.range, message)
    })
}

fn name(program: &Program, metric: &Value) -> Option<String> {
    match metric {
        Value::Str(name) => Some(name.clone()),
        Value::Reference(name) => name.strip_prefix("keras.metrics.").map(str::to_owned),
        // With arguments it may look at one class only.
        Value::Call(call) => {
            let call = program.call(*call);
            let plain = call
                .arguments
                .iter()
                .all(|argument| argument.name.as_deref() == Some("name"));
            let name = call.callee.strip_prefix("keras.metrics.")?;
            plain.then(|| name.to_owned())
        }
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
            model(
                "L.Dense(3, 'softmax')",
                "'sparse_categorical_crossentropy', metrics=['accuracy', 'sparse_categorical_accuracy']",
            ),
            model(
                "L.Dense(3, 'softmax')",
                "'categorical_crossentropy', metrics=['categorical_accuracy', keras.metrics.AUC(), 'acc']",
            ),
            model(
                "L.Dense(3, 'softmax')",
                "'categorical_crossentropy', metrics=[mine]",
            ),
            model(
                "L.Dense(1, 'sigmoid')",
                "'binary_crossentropy', metrics=['binary_accuracy', keras.metrics.Precision()]",
            ),
        ];
        let fail = [
            (
                model(
                    "L.Dense(3, 'softmax')",
                    "'sparse_categorical_crossentropy', metrics=['categorical_accuracy']",
                ),
                "'categorical_accuracy'",
            ),
            (
                model(
                    "L.Dense(3, 'softmax')",
                    "'categorical_crossentropy', metrics=[keras.metrics.SparseCategoricalAccuracy()]",
                ),
                "keras.metrics.SparseCategoricalAccuracy()",
            ),
            (
                model(
                    "L.Dense(3, 'softmax')",
                    "'sparse_categorical_crossentropy', metrics=['accuracy', keras.metrics.AUC(name='auc')]",
                ),
                "keras.metrics.AUC(name='auc')",
            ),
        ];
        let fix = [(
            model(
                "L.Dense(3, 'softmax')",
                "'categorical_crossentropy', metrics=['binary_accuracy']",
            ),
            model(
                "L.Dense(3, 'softmax')",
                "'categorical_crossentropy', metrics=['accuracy']",
            ),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
