//! # evaluate-without-metrics (DL509)
//!
//! ## What it does
//! Finds the result of `evaluate` taken apart (`loss, accuracy = …`, `…[1]`) though the model is compiled without
//! metrics.
//!
//! ## Why it matters
//! Without metrics `evaluate` returns the loss alone, a number, and unpacking or indexing it raises `TypeError` after
//! the training.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! loss, error = model.evaluate(x_test, y_test)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics=["mae"])
//! model.fit(x, y)
//! loss, error = model.evaluate(x_test, y_test)
//! ```
//!
//! ## Fix safety
//! No fix: which metric is meant is not known.
//!
//! ## References
//! - Measured on Keras 3.15.1

use crate::context::{Context, Given, given};
use crate::read::{has_one_output, receiver};
use finding::{Finding, Kind, Range, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL509",
    name: "evaluate-without-metrics",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("evaluate_without_metrics.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    let mut findings = Vec::new();
    for training in &context.trainings {
        let one_compile = program
            .compiles
            .iter()
            .filter(|compile| compile.model == training.record.model)
            .count()
            == 1;
        let bare = training.metrics().is_some_and(|metrics| metrics.is_empty());
        if !bare || !one_compile || !training.model.is_some_and(has_one_output) {
            continue;
        }
        for call in &program.calls {
            let mine = call.callee == "Model.evaluate"
                && receiver(call, context.text) == receiver(training.fit, context.text);
            if mine
                && matches!(given(call, "return_dict"), Given::Absent)
                && taken_apart(context.text, call.range)
            {
                let message = "the model is compiled without metrics, so `evaluate` returns one number, and taking it apart \
                               raises a TypeError; pass `metrics=` to `compile`, or take the number as the loss";
                findings.push(Finding {
                    confidence: 0.93,
                    ..context.finding(&INFO, call.callee_range, message)
                });
            }
        }
    }
    findings
}

fn taken_apart(text: &str, call: Range) -> bool {
    let line = text
        .get(..call.start)
        .and_then(|before| before.rsplit('\n').next())
        .unwrap_or_default();
    let unpacked = line.trim_end().strip_suffix('=').is_some_and(|targets| {
        targets.contains(',')
            && targets
                .chars()
                .all(|letter| letter.is_alphanumeric() || "_, ".contains(letter))
    });
    let indexed = text.get(call.end..).is_some_and(|rest| rest.starts_with("[1]"));
    unpacked || indexed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse', metrics=['mae'])\nm.fit(x, y)\na, b = m.evaluate(p, q)".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y)\nloss = m.evaluate(p, q)".to_owned()];
        let fail = [("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y)\na, b = m.evaluate(p, q)".to_owned(), "m.evaluate"), ("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y)\nprint(m.evaluate(p, q)[1])".to_owned(), "m.evaluate")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
