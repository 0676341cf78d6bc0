//! # test-data-for-training (DL412)
//!
//! ## What it does
//! Finds `fit` on the test half of the data, or on features of one half with labels of the other.
//!
//! ## Why it matters
//! What the network is trained on cannot test it. Features and labels of different halves do not belong together at
//! all: the lengths differ and `fit` raises, or every label belongs to another sample.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train, x_test = x_train / 255, x_test / 255
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_test, y_test)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train, x_test = x_train / 255, x_test / 255
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Fix safety
//! Unsafe: the names are changed to those of the training half.
//!
//! ## References
//! - `keras.Model.fit`

use crate::context::Context;
use crate::read::is_plain;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL412",
    name: "test-data-for-training",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("test_data_for_training.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for training in &context.trainings {
        // A second `fit` may go on with more data on purpose.
        if context.trainings.len() > 1 {
            break;
        }
        let halves = ["x", "y"].map(|name| {
            let range = training.fit.argument(name)?.value.range;
            let text = is_plain(range.slice(context.text))?;
            Some((range, text, half(text)?))
        });
        let [Some((x_range, x, x_half)), Some((y_range, y, y_half))] = halves else {
            continue;
        };
        let known = |name: &str| {
            context
                .text
                .contains(&name.replace("test", "train").replace("Test", "Train"))
        };
        let (range, message) = match (x_half, y_half) {
            (Half::Test, Half::Test) if known(x) && known(y) => (
                x_range,
                format!(
                    "the model is trained on `{x}`, the test half of the data, so nothing is left to test it on; use the \
                         training half"
                ),
            ),
            (Half::Train, Half::Test) => (
                y_range,
                format!(
                    "`{y}` belongs to the test half and `{x}` to the training half, so the labels are those of other samples; \
                         use the labels of the training half"
                ),
            ),
            (Half::Test, Half::Train) => (
                x_range,
                format!(
                    "`{x}` belongs to the test half and `{y}` to the training half, so the labels are those of other samples; \
                         use the features of the training half"
                ),
            ),
            _ => continue,
        };
        let edits: Vec<_> = [(x_range, x, x_half), (y_range, y, y_half)]
            .into_iter()
            .filter(|(_, _, half)| *half == Half::Test)
            .map(|(range, name, _)| (range, name.replace("test", "train").replace("Test", "Train")))
            .collect();
        let fix = context.fix_all("Use the training half", Applicability::Unsafe, edits);
        findings.push(Finding {
            confidence: 0.9,
            fixes: vec![fix],
            ..context.finding(&INFO, range, message)
        });
    }
    findings
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Train,
    Test,
}

/// Which half of the data a name says it is.
fn half(name: &str) -> Option<Half> {
    let name = name.to_ascii_lowercase();
    let parts: Vec<&str> = name.split(['_', '.']).collect();
    let has = |word: &str| parts.contains(&word) || name.ends_with(word);
    match (has("train"), has("test")) {
        (true, false) => Some(Half::Train),
        (false, true) => Some(Half::Test),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fitted;

    #[test]
    fn tables() {
        let pass = [
            fitted("x_train, y_train"),
            fitted("x, y"),
            fitted("x_test, y_test"),
            fitted("latest, contest"),
        ];
        let fail = [(fitted("x_train, y_test"), "y_test"), ("x_train, x_test, y_train, y_test = split()\nimport keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x_test, y_test)".to_owned(), "x_test")];
        let fix = [(fitted("X_test, y_train"), fitted("X_train, y_train"))];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
