//! # history-key (DL507)
//!
//! ## What it does
//! Finds keys of `history.history[…]` that this training does not log, such as `acc` after `metrics=["accuracy"]`.
//!
//! ## Why it matters
//! The plot at the end of the script raises `KeyError` after all the training is done. Keras 2 logged `accuracy` as
//! `acc` in its first years; Keras 3 logs a metric under the name it is given. Keys with `val_` need validation data.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
//! history = model.fit(x, y)
//! print(history.history["acc"])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
//! history = model.fit(x, y)
//! print(history.history["accuracy"])
//! ```
//!
//! ## Fix safety
//! Safe where the metric is only spelled differently; otherwise there is no fix.
//!
//! ## References
//! - Measured on Keras 3.15.1

use crate::context::Context;
use crate::read::{Training, has_one_output, respelled};
use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL507",
    name: "history-key",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("history_key.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if context.program.legacy_keras {
        return Vec::new();
    }
    let named: Vec<(&str, &Training<'_>)> = context
        .trainings
        .iter()
        .filter_map(|training| Some((target(context.text, training.fit.range.start)?, training)))
        .collect();
    let mut findings = Vec::new();
    for (name, training) in &named {
        let once = named.iter().filter(|(other, _)| other == name).count() == 1;
        let assigned = context
            .text
            .lines()
            .filter(|line| {
                line.trim_start()
                    .strip_prefix(*name)
                    .is_some_and(|rest| rest.trim_start().starts_with('='))
            })
            .count();
        let whole = training.model.is_some_and(has_one_output);
        let Some(logged) = training.logged().filter(|_| once && assigned == 1 && whole) else {
            continue;
        };
        for (range, key) in keys(context.text, name, training.fit.range.end) {
            if logged.iter().any(|logged| logged == key) {
                continue;
            }
            let near = respelled(key, &logged);
            let without_validation = key.starts_with("val_") && training.validates() == Some(false);
            if near.is_none() && !without_validation {
                continue;
            }
            let message = match near {
                Some(near) => format!(
                    "this training logs `{near}`, not `{key}`, so reading it raises a KeyError after all the training is done"
                ),
                None => format!(
                    "this training has no validation data, so there is no `{key}` and reading it raises a KeyError; pass \
                     `validation_data=` or `validation_split=` to `fit`"
                ),
            };
            let edit = near.and_then(|near| context.replace_name(range, key, near));
            let fix =
                edit.map(|(range, text)| context.fix("Correct the name", Applicability::Safe, range, text));
            let finding = Finding {
                confidence: 0.94,
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

/// The name on the left of `name = model.fit(…)`.
fn target(text: &str, call: usize) -> Option<&str> {
    let line = text.get(..call)?.rsplit('\n').next()?;
    let name = line.trim_end().strip_suffix('=')?.trim();
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_');
    plain.then_some(name)
}

/// The string literals in `name.history['…']` behind an offset, with their keys.
fn keys<'t>(text: &'t str, name: &str, from: usize) -> Vec<(Range, &'t str)> {
    let pattern = format!("{name}.history[");
    let mut keys = Vec::new();
    for (at, found) in text.match_indices(&pattern).filter(|(at, _)| *at >= from) {
        let longer_name = text
            .get(..at)
            .and_then(|before| before.chars().next_back())
            .is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.');
        let start = at + found.len();
        let rest = text.get(start..).unwrap_or_default();
        let Some(quote) = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"')) else {
            continue;
        };
        let Some((key, _)) = rest.get(1..).and_then(|rest| rest.split_once(quote)) else {
            continue;
        };
        if !longer_name && !key.contains('\n') {
            keys.push((Range::new(start, start + key.len() + 2), key));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nh = m.fit(x, y, validation_split=0.1)\nprint(h.history['val_accuracy'], h.history['loss'], h.history['lr'])".to_owned(), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nh = m.fit(x, y, **o)\nprint(h.history['val_loss'])".to_owned(), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nh = m.fit(x, y, validation_data=v)\nprint(h.history['val_acc'])".to_owned(), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nfor _ in range(2):\n    h = m.fit(x, y)\n    h = other(h)\nprint(h.history['acc'])".to_owned()];
        let fail = [("import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nh = m.fit(x, y)\nprint(h.history['acc'])".to_owned(), "'acc'"), ("import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nh = m.fit(x, y)\nprint(h.history['loss'], h.history[\"val_loss\"])".to_owned(), "\"val_loss\"")];
        let fix = [("import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nh = m.fit(x, y, validation_split=0.1)\nplot(h.history['val_acc'])".to_owned(), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nh = m.fit(x, y, validation_split=0.1)\nplot(h.history['val_accuracy'])".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
