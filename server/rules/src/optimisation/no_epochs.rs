//! # no-epochs (DL309)
//!
//! ## What it does
//! Finds calls of `fit` that train for no epoch: `epochs=0` and below, or `initial_epoch` not below `epochs`.
//!
//! ## Why it matters
//! `fit` returns at once, without an error and with an empty history, and everything after it works with untrained
//! weights. `epochs` is the number of the last epoch, not how many there are after `initial_epoch`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=10, initial_epoch=10)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=20, initial_epoch=10)
//! ```
//!
//! ## Fix safety
//! No fix: the intended number is not known.
//!
//! ## References
//! - Measured on Keras 3.15.1: the history is empty

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::{Context, Given, given};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL309",
    name: "no-epochs",
    kind: Kind::Epochs,
    severity: Severity::Warning,
    source: include_str!("no_epochs.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for training in &context.trainings {
        let whole = |name, default| match given(training.fit, name) {
            Given::Value(value) => match value.value {
                Value::Int(number) => Some(number),
                _ => None,
            },
            Given::Absent => Some(default),
            Given::Unknown => None,
        };
        let (Some(epochs), Some(first)) = (whole("epochs", 1), whole("initial_epoch", 0)) else {
            continue;
        };
        let Some(argument) = training
            .fit
            .argument("epochs")
            .or_else(|| training.fit.argument("initial_epoch"))
            .filter(|_| epochs <= first)
        else {
            continue;
        };
        let message = format!(
            "training goes from epoch {first} to epoch {epochs}, so `fit` trains nothing and the weights stay as they \
             were; make `epochs` larger than {first}"
        );
        findings.push(context.finding(&INFO, argument.range, message));
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
            fitted("x, y, epochs=1"),
            fitted("x, y"),
            fitted("x, y, epochs=n"),
            fitted("x, y, epochs=20, initial_epoch=10"),
            fitted("x, y, epochs=10, initial_epoch=history.epoch[-1]"),
        ];
        let fail = [
            (fitted("x, y, epochs=0"), "epochs=0"),
            (fitted("x, y, epochs=5, initial_epoch=5"), "epochs=5"),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
