//! # metrics-not-a-list (DL510)
//!
//! ## What it does
//! Finds `metrics=` given a single metric instead of a list.
//!
//! ## Why it matters
//! Keras 3 raises `ValueError: Expected metrics argument to be a list, tuple, or dict` in `compile`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics="mae")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics=["mae"])
//! ```
//!
//! ## Fix safety
//! Safe: a list of the one metric is what was meant.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL510",
    name: "metrics-not-a-list",
    kind: Kind::Metric,
    severity: Severity::Error,
    source: include_str!("metrics_not_a_list.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if context.program.legacy_keras {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for compile in context.plain_compiles() {
        let Some(argument) = compile.argument("metrics") else {
            continue;
        };
        let single = match &argument.value.value {
            Value::Str(_) => true,
            Value::Call(call) => context.program.call(*call).callee.starts_with("keras.metrics."),
            _ => false,
        };
        if single {
            let written = argument.value.range.slice(context.text);
            let message = "Keras 3 takes metrics as a list only and raises an exception for a single one; put it in brackets";
            let fix = context.fix(
                "Put it into a list",
                Applicability::Safe,
                argument.value.range,
                format!("[{written}]"),
            );
            findings.push(context.dated(Finding {
                confidence: 0.95,
                fixes: vec![fix],
                ..context.finding(&INFO, argument.value.range, message)
            }));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [
            model("L.Dense(1)", "'mse', metrics=['mae']"),
            model("L.Dense(1)", "'mse', metrics=METRICS"),
            model("L.Dense(1)", "'mse', metrics=None"),
        ];
        let fail = [
            (model("L.Dense(1)", "'mse', metrics='mae'"), "'mae'"),
            (
                model("L.Dense(1)", "'mse', metrics=keras.metrics.MeanAbsoluteError()"),
                "keras.metrics.MeanAbsoluteError()",
            ),
        ];
        let fix = [(
            model("L.Dense(1)", "'mse', metrics='mae'"),
            model("L.Dense(1)", "'mse', metrics=['mae']"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
