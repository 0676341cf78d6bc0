//! # labels-divided (DL407)
//!
//! ## What it does
//! Finds class labels that are divided by 255 along with the images.
//!
//! ## Why it matters
//! Class 9 becomes 0.035. The sparse loss cuts that to class 0: every sample gets the same label, and the network
//! learns at once to say 0, with an accuracy that means nothing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train = x_train / 255
//! y_train = y_train / 255
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train = x_train / 255
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Fix safety
//! The division goes, from the labels trained on and from those held out; a statement that does nothing else goes with
//! it. Unsafe: what reads the fractions elsewhere gets class numbers. No fix where the division is inside of other
//! arithmetic.
//!
//! ## References
//! - Measured on Keras 3.15.1: `fit` takes the fractions without a word

use crate::context::Context;
use crate::read::Data;
use finding::{Applicability, Finding, Fix, Kind, Range, RuleInfo, Severity};
use program::{Change, whole_lines};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL407",
    name: "labels-divided",
    kind: Kind::LabelEncoding,
    severity: Severity::Error,
    source: include_str!("labels_divided.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(output) = context.output_of_fit(sets.training.call) else {
            continue;
        };

        let Some(y) = sets.training.y.as_ref().filter(|_| output.loss.is_categorical()) else {
            continue;
        };
        let Some(step) = y.last_change() else { continue };
        let divided = y.divided().is_some_and(|division| division == step);
        if divided {
            let message = "these are class labels, not pixels: divided by 255 they all become fractions near 0, and the loss takes \
                           every sample for class 0; divide the images only";
            findings.push(Finding {
                confidence: 0.94,
                fixes: fix(context, y, sets.others.iter().filter_map(|set| set.y.as_ref()))
                    .into_iter()
                    .collect(),
                ..context.finding(&INFO, step.change.value, message)
            });
        }
    }
    findings
}

/// Takes the division out, of the labels trained on and of the others that are divided as their last change.
fn fix<'d>(
    context: &Context<'_>,
    trained: &'d Data<'d>,
    others: impl Iterator<Item = &'d Data<'d>>,
) -> Option<Fix> {
    let division = |labels: &Data<'_>| {
        let step = labels.last_change()?;
        (labels.divided() == Some(step)).then_some(step.change)
    };
    let first = division(trained)?;
    let mut edits = vec![undivided(context.text, first)?];
    for change in others.filter_map(division) {
        let edit = undivided(context.text, change)?;
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    Some(context.fix_all("Leave the labels as they are", Applicability::Unsafe, edits))
}

/// The edit that leaves a division by a number out.
fn undivided(text: &str, change: Change) -> Option<(Range, String)> {
    let statement = change.statement.slice(text);
    let target = change.target.slice(text);
    if statement
        .split_once("/=")
        .is_some_and(|(left, _)| left.trim() == target)
    {
        return Some((own_lines(text, change.statement)?, String::new()));
    }
    let value = change.value.slice(text);
    let (labels, divisor) = value.rsplit_once('/')?;
    divisor.trim().parse::<f64>().ok()?;
    let labels = labels.trim_end();
    let alone = statement
        .split_once('=')
        .is_some_and(|(left, right)| left.trim() == target && right.trim() == value);
    let statement = (alone && labels == target)
        .then(|| own_lines(text, change.statement))
        .flatten();
    let rest = Range::new(change.value.start + labels.len(), change.value.end);
    Some((statement.unwrap_or(rest), String::new()))
}

/// The lines of a statement that shares them with nothing and is not the first of its block, which could be left empty.
fn own_lines(text: &str, statement: Range) -> Option<Range> {
    let lines = whole_lines(text, statement)?;
    let indentation = &text[lines.start..statement.start];
    let above = text[..lines.start].lines().next_back().unwrap_or("");
    let follows = above
        .strip_prefix(indentation)
        .is_some_and(|line| !line.starts_with(char::is_whitespace));
    (indentation.is_empty() || follows).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(784, 'sigmoid')])\nm.compile('adam', 'mse')\nm.fit(x, x)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, y = load()\ny = y / 10\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = y / 255\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "y / 255"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y) / 255.0\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "to_categorical(y) / 255.0")];
        let script = |labels: &str, held_out: &str| {
            format!(
                "import keras\nfrom keras.layers import *\n(x, y), (p, q) = keras.datasets.mnist.load_data()\n{labels}\
                 m = keras.Sequential([Flatten(), Dense(10, 'softmax')])\n\
                 m.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y{held_out})\n"
            )
        };
        let held_out = ", validation_data=(p, q)";
        let fix = [
            (script("y = y / 255.0\n", ""), script("", "")),
            (script("y /= 255\n", ""), script("", "")),
            (
                script("x, y = x / 255., y / 255.\n", ""),
                script("x, y = x / 255., y\n", ""),
            ),
            (
                script("y = y / 255\nq = q / 255\n", held_out),
                script("", held_out),
            ),
            (
                script("if x.max() > 1:\n    y = y / 255\n", ""),
                script("if x.max() > 1:\n    y = y\n", ""),
            ),
            (
                script("if x.max() > 1:\n    x = x / 255\n    y = y / 255\n", ""),
                script("if x.max() > 1:\n    x = x / 255\n", ""),
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
