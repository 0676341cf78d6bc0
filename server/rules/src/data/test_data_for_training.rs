//! # test-data-for-training (DL412)
//!
//! ## What it does
//! Finds `fit` on the test half of the data, on features of one half with labels of the other, and on features of one half
//! with the labels of all samples; and `fit` on all samples, among them those of the half that `evaluate` is given.
//! The halves are those of a `train_test_split`, whatever they are called, or are told by their names.
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
use crate::read::{Half as Split, Sets, is_plain};
use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL412",
    name: "test-data-for-training",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("test_data_for_training.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (training, sets) in context.trainings.iter().zip(context.training_sets()) {
        // A second `fit` may go on with more data on purpose.
        let only = context.trainings.len() == 1;
        if let Some((range, message)) = by_flow(context, sets, only) {
            findings.push(Finding {
                confidence: 0.94,
                ..context.finding(&INFO, range, message)
            });
            continue;
        }
        if !only {
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

/// What is wrong with the halves of a `train_test_split` that a training is given, whatever their names are.
fn by_flow(context: &Context<'_>, sets: &Sets<'_>, only: bool) -> Option<(Range, String)> {
    let (x, y) = (sets.training.x.as_ref()?, sets.training.y.as_ref()?);
    let part = |half: &Split<'_>| if half.test { "test" } else { "training" };
    let (of_x, of_y) = (x.half(), y.half());
    if let (Some(features), Some(labels)) = (&of_x, &of_y)
        && features.statement == labels.statement
    {
        let message = format!(
            "`{}` is the {} half of the split and `{}` the {} half, so the labels are those of other samples; give `fit` features \
             and labels of the same half",
            features.name,
            part(features),
            labels.name,
            part(labels),
        );
        let range = if labels.test { y.range } else { x.range };
        let apart = features.test != labels.test && features.array != labels.array;
        return apart.then_some((range, message));
    }
    let written = |range: Range| range.slice(context.text);
    if let Some(features) = of_x.filter(|half| half.keeps_rows && y.is_whole_of(half)) {
        let message = format!(
            "`{}` has the labels of all samples and `{}` the features of the {} half alone, so their lengths differ and `fit` \
             raises an exception; take the labels of that half",
            written(y.range),
            features.name,
            part(&features),
        );
        return Some((y.range, message));
    }
    if let Some(labels) = of_y.filter(|half| half.keeps_rows && x.is_whole_of(half)) {
        let message = format!(
            "`{}` has the features of all samples and `{}` the labels of the {} half alone, so their lengths differ and `fit` \
             raises an exception; take the features of that half",
            written(x.range),
            labels.name,
            part(&labels),
        );
        return Some((x.range, message));
    }
    let judged = sets
        .others
        .iter()
        .filter(|set| only && set.call.class() == "evaluate")
        .filter_map(|set| set.x.as_ref()?.half())
        .find(|half| half.test && x.is_whole_of(half) && y.is_whole_of(half))?;
    let message = format!(
        "the model is trained on all of `{}`, and `{}`, which it is tested on, is a part of that: the result of the test says \
         nothing about new samples; train it on the training half of the split",
        written(x.range),
        judged.name,
    );
    Some((x.range, message))
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

    #[test]
    fn halves_of_a_split_by_what_flows_where() {
        let script = |lines: &str, fit: &str, behind: &str| {
            format!(
                "import keras\nimport numpy as np\nfrom sklearn.model_selection import train_test_split\nX, Y = load()\n\
                 a, b, c, d = train_test_split(X, Y, test_size=0.2)\n{lines}\
                 m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\nm.compile('adam', 'mse')\n\
                 m.fit({fit})\n{behind}"
            )
        };
        let pass = [
            script("", "a, c", "m.evaluate(b, d)"),
            script("", "X, Y", "m.predict(b)"),
            script("", "X, Y", "m.fit(a, c)\nm.evaluate(b, d)"),
            script("Y = other(Y)\n", "a, Y", ""),
            script("a = np.concatenate([a, b])\n", "a, Y", ""),
            script("a = np.concatenate([a, b])\n", "a, d", ""),
            script("a, b, c, d = load()\n", "a, d", ""),
            script("e, f, g, h = train_test_split(a, c)\n", "e, g", ""),
        ];
        let fail = [
            (script("", "a, d", ""), "d"),
            (script("c = d[:9]\n", "a, c", ""), "c"),
            (script("b = b.astype('float32')\n", "b, c", ""), "b"),
            (script("", "a, Y", "m.evaluate(b, d)"), "Y"),
            (script("", "X, c", ""), "X"),
            (script("", "X, Y, epochs=9", "m.evaluate(b, d)"), "X"),
            (script("e, f, g, h = train_test_split(a, c)\n", "e, c", ""), "c"),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
