//! # patience-beyond-epochs (DL512)
//!
//! ## What it does
//! Finds `EarlyStopping` whose patience is at least the number of epochs.
//!
//! ## Why it matters
//! It can never stop anything: there are not enough epochs for that many without improvement.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=10, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(patience=20)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=200, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(patience=20)])
//! ```
//!
//! ## Fix safety
//! No fix: either number may be the wrong one.
//!
//! ## References
//! - `keras.callbacks.EarlyStopping`

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL512",
    name: "patience-beyond-epochs",
    kind: Kind::Epochs,
    severity: Severity::Hint,
    source: include_str!("patience_beyond_epochs.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for training in &context.trainings {
        let Some(Value::Int(epochs)) = training.fit.argument("epochs").map(|epochs| &epochs.value.value)
        else {
            continue;
        };
        for callback in training.callbacks(context.program) {
            let Some(patience) = callback
                .argument("patience")
                .filter(|_| callback.callee == "keras.callbacks.EarlyStopping")
            else {
                continue;
            };
            if let Value::Int(number) = patience.value.value
                && number >= *epochs
            {
                let message = format!(
                    "with a patience of {number} and {epochs} epochs, early stopping can never stop anything; train longer or \
                     be less patient"
                );
                findings.push(context.finding(&INFO, patience.range, message));
            }
        }
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
            fitted("x, y, epochs=100, validation_split=0.1, callbacks=[EarlyStopping(patience=5)]"),
            fitted("x, y, epochs=n, validation_split=0.1, callbacks=[EarlyStopping(patience=5)]"),
        ];
        let fail = [(
            fitted("x, y, epochs=5, validation_split=0.1, callbacks=[EarlyStopping(patience=5)]"),
            "patience=5",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
