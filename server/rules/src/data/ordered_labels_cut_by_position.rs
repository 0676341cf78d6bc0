//! # ordered-labels-cut-by-position (DL425)
//!
//! ## What it does
//! Finds labels that are in order, one class after the other, and cut by position into those to train on and those to test
//! with.
//!
//! ## Why it matters
//! The last classes all fall into the part that is tested: the network never sees them, and is tested on little else.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.datasets import load_iris
//! from sklearn.model_selection import train_test_split
//! x, y = load_iris(return_X_y=True)
//! x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, shuffle=False)
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.datasets import load_iris
//! from sklearn.model_selection import train_test_split
//! x, y = load_iris(return_X_y=True)
//! x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, stratify=y)
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Fix safety
//! No fix: whether to shuffle, to stratify or to split by class is a choice.
//!
//! ## References
//! - scikit-learn: the samples of `load_iris` and `load_wine` are in order of their classes

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Step;

use crate::context::Context;
use crate::read::{Data, compact, is_plain};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL425",
    name: "ordered-labels-cut-by-position",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("ordered_labels_cut_by_position.rs"),
};

/// Data sets of scikit-learn that are in order of their classes.
const ORDERED: [&str; 2] = ["load_iris(", "load_wine("];
/// What puts rows into another order. Any may be that of these arrays.
const ORDERS: [&str; 5] = ["shuffle(", "permutation", ".sample(", "argsort", "stratify"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if ORDERS.iter().any(|sign| context.text.contains(sign)) {
        return Vec::new();
    }
    let labels = context.sets().iter().filter_map(|sets| sets.training.y.as_ref());
    labels
        .filter_map(|y| {
            let place = cut(context.text, y).filter(|_| ordered(y))?;
            let message = "the labels are in order of their classes, and this takes them by position: the last class is never trained \
                           on, or hardly, and the test sees little else; shuffle features and labels together first";
            Some(context.finding(&INFO, place, message.to_owned()))
        })
        .collect()
}

/// Whether the labels come from a source in order, and are at most taken apart and converted on the way.
fn ordered(y: &Data<'_>) -> bool {
    let Some(source) = statements(y).last() else {
        return false;
    };
    let source = compact(source.change.value.slice(y.text()));
    let sizes = |call: &str| source.starts_with(call) && !source.contains('[');
    let known = ORDERED.iter().any(|load| source.contains(load)) && !source.contains("shuffle");
    let repeated = sizes("np.repeat(np.arange(") || sizes("np.repeat(range(");
    known || repeated || super::ordered_labels_with_validation_split::is_ordered(&source)
}

/// The statements on the way; an argument that makes its own values is none.
fn statements<'d>(y: &'d Data<'_>) -> impl Iterator<Item = &'d Step> {
    y.steps
        .iter()
        .filter(|step| step.change.value != step.change.target)
}

/// The only statement on the way that cuts rows by position, where what it cuts off is used, too.
fn cut(text: &str, y: &Data<'_>) -> Option<finding::Range> {
    let mut found = None;
    let steps: Vec<&Step> = statements(y).collect();
    let (_, moved) = steps.split_last()?;
    for step in moved {
        let value = step.change.value.slice(text);
        let bare = compact(value);
        if bare.contains("train_test_split(") {
            if !bare.contains("shuffle=False") || found.replace(step.change.value).is_some() {
                return None;
            }
        } else if bare.contains('[') {
            // Half of two: the part that is cut off stands somewhere in the same script.
            let index = bare.split('[').nth(1)?.split(']').next()?;
            let until = index
                .strip_prefix(':')
                .filter(|until| !until.is_empty() && !until.contains([':', ',']));
            if until.is_some_and(|until| compact(text).contains(&format!("[{until}:"))) {
                if found.replace(step.change.value).is_some() {
                    return None;
                }
            } else if !index.starts_with(['"', '\'']) {
                return None;
            }
        } else if is_plain(value).is_none() && !converts(&bare) {
            return None;
        }
    }
    found
}

/// Whether a value is another one in another form.
fn converts(value: &str) -> bool {
    [
        "to_categorical(",
        "np.array(",
        "np.asarray(",
        ".astype(",
        ".reshape(",
    ]
    .iter()
    .any(|conversion| value.contains(conversion))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(rest: &str) -> String {
        format!(
            "import keras\nimport numpy as np\nfrom keras.utils import to_categorical\nfrom sklearn.datasets import load_iris\n\
             from sklearn.model_selection import train_test_split\n{rest}\n\
             m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(3, 'softmax')])\n\
             m.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(a, b)\n"
        )
    }

    #[test]
    fn tables() {
        let pass: Vec<String> = [
            "x, y = load_iris(return_X_y=True)\na, c, b, d = train_test_split(x, y)",
            "x, y = load_iris(return_X_y=True)\na, b = x[:100], y[:100]",
            "x, y = load_iris(return_X_y=True)\nx, y = shuffle(x, y)\na, b = x[:100], y[:100]\nc, d = x[100:], y[100:]",
            "x, y = load()\na, c, b, d = train_test_split(x, y, shuffle=False)",
            "x, y = load_iris(return_X_y=True)\na, b = x[::2], y[::2]\nc, d = x[1::2], y[1::2]",
            "y = np.repeat(values, 50)\na, b = x[:100], y[:100]\nc, d = x[100:], y[100:]",
        ]
        .iter()
        .map(|rest| script(rest))
        .collect();
        let fail = [
            (
                script(
                    "x, y = load_iris(return_X_y=True)\na, c, b, d = train_test_split(x, y, shuffle=False)",
                ),
                "train_test_split(x, y, shuffle=False)",
            ),
            (
                script("y = np.repeat(np.arange(3), 50)\na = x[:120]\nb = y[:120]\nc, d = x[120:], y[120:]"),
                "y[:120]",
            ),
            (
                script(
                    "y = np.concatenate([np.zeros(50), np.ones(50), np.full(50, 2)])\nb = y[:120]\na, c, d = x[:120], x[120:], y[120:]",
                ),
                "y[:120]",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
