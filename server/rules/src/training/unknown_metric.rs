//! # unknown-metric (DL511)
//!
//! ## What it does
//! Finds metrics given as a string that Keras does not know.
//!
//! ## Why it matters
//! The exception comes with the first batch, not in `compile`. Scores such as F1 and RMSE are there, but as `f1_score`
//! (for one-hot labels) and `root_mean_squared_error`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics=["rmse"])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics=[keras.metrics.RootMeanSquaredError(name="rmse")])
//! ```
//!
//! ## Fix safety
//! Safe where a known name is near enough to be what was meant; otherwise there is no fix.
//!
//! ## References
//! - `keras/src/metrics/__init__.py` of Keras 3.15.1; `grammars/identifiers.toml`

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;
use crate::read::Family;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL511",
    name: "unknown-metric",
    kind: Kind::Metric,
    severity: Severity::Error,
    source: include_str!("unknown_metric.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for compile in context.plain_compiles() {
        let Some(metrics) = compile.argument("metrics") else {
            continue;
        };
        if let Value::List(list) = &metrics.value.value {
            let unknown = |metric| context.unknown_name(&INFO, Family::Metric, metric, "metric");
            findings.extend(list.iter().filter_map(unknown));
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
            model("L.Dense(1)", "'mse', metrics=['mae', 'mse', 'MSE']"),
            model(
                "L.Dense(1, 'sigmoid')",
                "'binary_crossentropy', metrics=['acc', 'accuracy', 'AUC', 'precision']",
            ),
            model("L.Dense(1)", "'mse', metrics=[name]"),
        ];
        let fail = [
            (model("L.Dense(1)", "'mse', metrics=['rmse']"), "'rmse'"),
            (
                model(
                    "L.Dense(1, 'sigmoid')",
                    "'binary_crossentropy', metrics=['acuracy']",
                ),
                "'acuracy'",
            ),
        ];
        let fix = [(
            model(
                "L.Dense(1, 'sigmoid')",
                "'binary_crossentropy', metrics=['acuracy']",
            ),
            model(
                "L.Dense(1, 'sigmoid')",
                "'binary_crossentropy', metrics=['accuracy']",
            ),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
