//! # monitor-mode (DL504)
//!
//! ## What it does
//! Finds callbacks whose `mode` contradicts what they watch: the largest loss, or the smallest accuracy.
//!
//! ## Why it matters
//! `mode="max"` on a loss keeps the worst weights and stops as soon as the network gets better; `mode="min"` on an
//! accuracy does the same the other way round.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
//! model.fit(x, y, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(monitor="val_accuracy", mode="min")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
//! model.fit(x, y, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(monitor="val_accuracy", mode="max")])
//! ```
//!
//! ## Fix safety
//! Safe: for these metrics there is only one direction that is better.
//!
//! ## References
//! - `keras.callbacks.EarlyStopping`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL504",
    name: "monitor-mode",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("monitor_mode.rs"),
};

/// Better when smaller.
const SMALLER: [&str; 6] = [
    "loss",
    "mse",
    "mae",
    "mean_squared_error",
    "mean_absolute_error",
    "rmse",
];
/// Better when larger.
const LARGER: [&str; 8] = [
    "accuracy",
    "acc",
    "auc",
    "precision",
    "recall",
    "f1_score",
    "binary_accuracy",
    "categorical_accuracy",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if !matches!(
            call.callee.as_str(),
            "keras.callbacks.EarlyStopping"
                | "keras.callbacks.ModelCheckpoint"
                | "keras.callbacks.ReduceLROnPlateau"
        ) {
            continue;
        }
        let (Some(monitor), Some(mode)) = (call.argument("monitor"), call.argument("mode")) else {
            continue;
        };
        let (Value::Str(name), Value::Str(written)) = (&monitor.value.value, &mode.value.value) else {
            continue;
        };
        let base = name.trim_start_matches("val_");
        let right = if SMALLER.contains(&base) {
            "min"
        } else if LARGER.contains(&base) {
            "max"
        } else {
            continue;
        };
        if !matches!(written.as_str(), "min" | "max") || written == right {
            continue;
        }
        let message = format!(
            "`{name}` is better when it is {}, so `mode=\"{written}\"` keeps the worst weights and stops when the network \
             improves; use `\"{right}\"`",
            if right == "min" { "smaller" } else { "larger" }
        );
        let edit = context.replace_name(mode.value.origin, written, right);
        let fix = edit
            .map(|(range, text)| context.fix(format!("Use mode {right}"), Applicability::Safe, range, text));
        findings.push(Finding {
            confidence: 0.95,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, mode.value.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = [
            "from keras.callbacks import *\nEarlyStopping(monitor='val_loss', mode='min')".to_owned(),
            "from keras.callbacks import *\nEarlyStopping(monitor='val_accuracy', mode='auto')".to_owned(),
            "from keras.callbacks import *\nEarlyStopping(monitor='val_mine', mode='max')".to_owned(),
        ];
        let fail = [
            (
                "from keras.callbacks import *\nEarlyStopping(monitor='val_loss', mode='max')".to_owned(),
                "'max'",
            ),
            (
                "from keras.callbacks import *\nModelCheckpoint('m.keras', monitor='val_acc', mode='min')"
                    .to_owned(),
                "'min'",
            ),
        ];
        let fix = [(
            "from keras.callbacks import *\nEarlyStopping(monitor='loss', mode='max')".to_owned(),
            "from keras.callbacks import *\nEarlyStopping(monitor='loss', mode='min')".to_owned(),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
