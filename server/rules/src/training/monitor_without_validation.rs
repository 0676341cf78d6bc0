//! # monitor-without-validation (DL502)
//!
//! ## What it does
//! Finds callbacks that watch a validation metric in a `fit` without validation data.
//!
//! ## Why it matters
//! `EarlyStopping`, `ReduceLROnPlateau` and `ModelCheckpoint(save_best_only=True)` watch `val_loss` unless told
//! otherwise. Without validation data that does not exist: Keras warns once per epoch, never stops, never reduces the
//! rate and never saves anything.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=100, callbacks=[keras.callbacks.EarlyStopping(patience=5)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=100, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(patience=5)])
//! ```
//!
//! ## Fix safety
//! Unsafe: 20 % of the samples are kept out of the training, always the last ones.
//!
//! ## References
//! - Measured on Keras 3.15.1: "Early stopping conditioned on metric `val_loss` which is not available"

use crate::context::Context;
use crate::read::monitored;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL502",
    name: "monitor-without-validation",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("monitor_without_validation.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for training in &context.trainings {
        if training.validates() != Some(false) {
            continue;
        }
        for callback in training.callbacks(context.program) {
            let Some((name, range)) = monitored(callback).filter(|(name, _)| name.starts_with("val_")) else {
                continue;
            };
            let message = format!(
                "`{}` watches `{name}`, but this `fit` has no validation data, so the callback never does anything; pass \
                 `validation_data=` or `validation_split=`, or watch `{}`",
                callback.class(),
                name.trim_start_matches("val_")
            );
            let edit = context.append_argument(training.fit, "validation_split=0.2");
            let fix = edit.map(|edit| {
                context.fix_all(
                    "Validate on the last 20 % of the samples",
                    Applicability::Unsafe,
                    vec![edit],
                )
            });
            findings.push(Finding {
                confidence: 0.93,
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, range, message)
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
            fitted("x, y, validation_split=0.1, callbacks=[EarlyStopping()]"),
            fitted("x, y, validation_data=val, callbacks=[EarlyStopping()]"),
            fitted("x, y, callbacks=[EarlyStopping(monitor='loss')]"),
            fitted("x, y, callbacks=[EarlyStopping(monitor=name)]"),
            fitted("x, y, callbacks=[ModelCheckpoint('m.keras')]"),
            fitted("x, y, callbacks=[EarlyStopping()], **options"),
        ];
        let fail = [
            (
                fitted("x, y, callbacks=[EarlyStopping(patience=3)]"),
                "EarlyStopping",
            ),
            (
                fitted("x, y, callbacks=[ReduceLROnPlateau(monitor='val_mae')]"),
                "'val_mae'",
            ),
            (
                fitted("x, y, callbacks=ModelCheckpoint('m.keras', save_best_only=True)"),
                "ModelCheckpoint",
            ),
        ];
        let fix = [(
            fitted("x, y, callbacks=[EarlyStopping()]"),
            fitted("x, y, callbacks=[EarlyStopping()], validation_split=0.2"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
