//! # invalid-batch-size (DL308)
//!
//! ## What it does
//! Finds batch sizes that are negative, fractions, or zero.
//!
//! ## Why it matters
//! A negative batch size or a float raises an exception in the first step. Zero is taken for the default, 32, which is
//! hardly what was meant (a warning).
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, batch_size=64 / 2)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, batch_size=64 // 2)
//! ```
//!
//! ## Fix safety
//! No fix: the intended size is not known.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL308",
    name: "invalid-batch-size",
    kind: Kind::BatchSize,
    severity: Severity::Error,
    source: include_str!("invalid_batch_size.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if !matches!(
            call.callee.as_str(),
            "Model.fit" | "Model.evaluate" | "Model.predict"
        ) {
            continue;
        }
        let Some(argument) = call.argument("batch_size") else {
            continue;
        };
        let (severity, message) = match argument.value.value {
            Value::Int(0) => (
                Severity::Warning,
                "a batch size of 0 is taken for the default, 32; write the size you mean".to_owned(),
            ),
            Value::Int(size @ ..0) => (
                Severity::Error,
                format!(
                    "a batch has {size} samples: this raises an exception in the first step; use 32, for example"
                ),
            ),
            Value::Float(size) => (
                Severity::Error,
                format!(
                    "a batch size must be a whole number, and {size} is a float: this raises an exception in the first \
                     step; divide with `//` or use `int(…)`"
                ),
            ),
            _ => continue,
        };
        findings.push(Finding {
            severity,
            ..context.finding(&INFO, argument.value.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fitted;

    #[test]
    fn tables() {
        let pass = [
            fitted("x, y, batch_size=32"),
            fitted("x, y, batch_size=None"),
            fitted("x, y, batch_size=size"),
        ];
        let fail = [
            (fitted("x, y, batch_size=-1"), "-1"),
            (fitted("x, y, batch_size=0"), "0"),
            (fitted("x, y, batch_size=100 / 10"), "100 / 10"),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
