//! # monitor-not-logged (DL503)
//!
//! ## What it does
//! Finds callbacks that watch a metric the model is not compiled with, `acc` instead of `accuracy` above all.
//!
//! ## Why it matters
//! The name has to be exactly the one in the logs. Keras 2 logged `metrics=["accuracy"]` as `acc` in its first years;
//! Keras 3 logs a metric under the name it is given. A callback that finds nothing only warns, and never acts.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
//! model.fit(x, y, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(monitor="val_acc")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
//! model.fit(x, y, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping(monitor="val_accuracy")])
//! ```
//!
//! ## Fix safety
//! Safe where the metric is only spelled differently; otherwise there is no fix.
//!
//! ## References
//! - Measured on Keras 3.15.1

use crate::context::Context;
use crate::read::{has_one_output, monitored, respelled};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL503",
    name: "monitor-not-logged",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("monitor_not_logged.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for training in &context.trainings {
        let sequential = training.model.is_some_and(has_one_output);
        let Some(logged) = training
            .logged()
            .filter(|_| sequential && !context.program.legacy_keras)
        else {
            continue;
        };
        for callback in training.callbacks(context.program) {
            let Some((name, range)) = monitored(callback) else {
                continue;
            };
            let without_validation = name.starts_with("val_") && training.validates() == Some(false);
            let rate = matches!(name.as_str(), "lr" | "learning_rate");
            if logged.contains(&name) || without_validation || rate {
                continue;
            }
            let near = respelled(&name, &logged);
            // A callback of the user's own may log more.
            if near.is_none() && !training.only_known_callbacks(context.program) {
                continue;
            }
            let message = format!(
                "`{}` watches `{name}`, which is not among what this model logs ({}), so it never does anything{}",
                callback.class(),
                logged.join(", "),
                near.map(|near| format!("; `{near}` is the name"))
                    .unwrap_or_default()
            );
            let edit = near.and_then(|near| context.replace_name(range, &name, near));
            let fix =
                edit.map(|(range, text)| context.fix("Correct the name", Applicability::Safe, range, text));
            let finding = Finding {
                confidence: 0.92,
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, range, message)
            };
            // Up to Keras 2.2, `accuracy` was logged as `acc`.
            findings.push(if near.is_some() {
                context.dated(finding)
            } else {
                finding
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
            fitted("x, y, validation_split=0.1, callbacks=[EarlyStopping(monitor='val_mae')]"),
            fitted("x, y, validation_split=0.1, callbacks=[mine, EarlyStopping(monitor='f1')]"),
            fitted("x, y, callbacks=[EarlyStopping(monitor='loss')]"),
        ];
        let fail = [("import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nm.fit(x, y, callbacks=[EarlyStopping(monitor='acc')])".to_owned(), "'acc'"), (fitted("x, y, validation_split=0.1, callbacks=[EarlyStopping(monitor='val_accuracy')]"), "'val_accuracy'")];
        let fix = [("import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nm.fit(x, y, validation_split=0.1, callbacks=[EarlyStopping('val_acc')])".to_owned(), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nm.fit(x, y, validation_split=0.1, callbacks=[EarlyStopping('val_accuracy')])".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
