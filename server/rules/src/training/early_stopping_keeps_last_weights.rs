//! # early-stopping-keeps-last-weights (DL514)
//!
//! ## What it does
//! Finds `EarlyStopping` without `restore_best_weights=True` in a training that saves no checkpoints.
//!
//! ## Why it matters
//! When it stops, the last `patience` epochs were no better than the best, and often worse. Without
//! `restore_best_weights` the model goes on with the weights of the last of them.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=100, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(patience=5)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=100, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)])
//! ```
//!
//! ## Fix safety
//! Unsafe: the weights after the training change.
//!
//! ## References
//! - `keras.callbacks.EarlyStopping`

use crate::context::{Context, Given, given};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL514",
    name: "early-stopping-keeps-last-weights",
    kind: Kind::ApiMisuse,
    severity: Severity::Hint,
    source: include_str!("early_stopping_keeps_last_weights.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for training in &context.trainings {
        let callbacks = training.callbacks(context.program);
        if context.text.contains("ModelCheckpoint") {
            continue;
        }
        for callback in callbacks {
            if callback.callee != "keras.callbacks.EarlyStopping"
                || !matches!(given(callback, "restore_best_weights"), Given::Absent)
            {
                continue;
            }
            let message = "when this stops the training, the model keeps the weights of the last epoch, not of the best; \
                           `restore_best_weights=True` goes back to the best";
            let edit = context.append_argument(callback, "restore_best_weights=True");
            let fix = edit
                .map(|edit| context.fix_all("Restore the best weights", Applicability::Unsafe, vec![edit]));
            findings.push(Finding {
                confidence: 0.6,
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, callback.callee_range, message)
            });
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
            fitted("x, y, validation_split=0.1, callbacks=[EarlyStopping(restore_best_weights=True)]"),
            fitted("x, y, validation_split=0.1, callbacks=[EarlyStopping(), ModelCheckpoint('m.keras')]"),
        ];
        let fail = [(
            fitted("x, y, validation_split=0.1, callbacks=[EarlyStopping(patience=2)]"),
            "EarlyStopping",
        )];
        let fix = [(
            fitted("x, y, validation_split=0.1, callbacks=[EarlyStopping(patience=2)]"),
            fitted(
                "x, y, validation_split=0.1, callbacks=[EarlyStopping(patience=2, restore_best_weights=True)]",
            ),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
