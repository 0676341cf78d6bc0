//! # train-test-split-order (DL408)
//!
//! ## What it does
//! Finds the results of `train_test_split` taken in the wrong order: labels where features come, or the half for the test
//! where that for the training comes.
//!
//! ## Why it matters
//! The function gives both halves of the first array, then both halves of the second: `X_train, X_test, y_train,
//! y_test`. In another order the network is given features for labels, or samples and labels of different lengths. With
//! the halves the other way round it learns from the small one.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.model_selection import train_test_split
//! X_train, y_train, X_test, y_test = train_test_split(X, y)
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(X_train, y_train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.model_selection import train_test_split
//! X_train, X_test, y_train, y_test = train_test_split(X, y)
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(X_train, y_train)
//! ```
//!
//! ## Fix safety
//! Safe: the names say what each was meant to be.
//!
//! ## References
//! - `sklearn.model_selection.train_test_split`

use crate::context::Context;
use crate::read::{compact, targets};
use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL408",
    name: "train-test-split-order",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("train_test_split_order.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for sets in context.sets() {
        let data = [&sets.training.x, &sets.training.y];
        for step in data.into_iter().flatten().flat_map(|data| &data.steps) {
            let statement = step.change.statement;
            if seen.contains(&statement) {
                continue;
            }
            seen.push(statement);
            let text = statement.slice(context.text);
            let Some((left, right)) = text.split_once('=') else {
                continue;
            };
            let plain = right
                .trim_start()
                .split('(')
                .next()
                .is_some_and(|name| name.trim_end().ends_with("train_test_split"));
            let names = targets(text);
            let ([first, second, third, fourth], true) = (names.as_slice(), plain) else {
                continue;
            };
            // X_test, X_train, y_test, y_train
            if halves_are_swapped(&[first, second, third, fourth]) && keeps_more_for_training(right) {
                let message = format!(
                    "`train_test_split` gives the half for the training first, so `{second}` holds the small half for the test and \
                     `{first}` the training samples; write `{second}, {first}, {fourth}, {third} = …`"
                );
                let range = Range::new(statement.start, statement.start + left.trim_end().len());
                let fix = context.fix(
                    "Put the names in order",
                    Applicability::Safe,
                    range,
                    format!("{second}, {first}, {fourth}, {third}"),
                );
                findings.push(Finding {
                    severity: Severity::Warning,
                    confidence: 0.95,
                    fixes: vec![fix],
                    ..context.finding(&INFO, range, message)
                });
                continue;
            }
            // X_train, y_train, X_test, y_test
            let mixed = is_label(second, first)
                && !is_label(third, first)
                && is_label(fourth, first)
                && same(first, third);
            if !mixed {
                continue;
            }
            let message = format!(
                "`train_test_split` gives both halves of the first array and then both of the second, so `{second}` holds features \
                 and `{third}` labels here; write `{first}, {third}, {second}, {fourth} = …`"
            );
            let range = Range::new(statement.start, statement.start + left.trim_end().len());
            let fix = context.fix(
                "Put the names in order",
                Applicability::Safe,
                range,
                format!("{first}, {third}, {second}, {fourth}"),
            );
            findings.push(Finding {
                confidence: 0.96,
                fixes: vec![fix],
                ..context.finding(&INFO, range, message)
            });
        }
    }
    findings
}

/// Whether a name means labels, by its first letter, where another means features.
fn is_label(name: &str, features: &str) -> bool {
    let first = |name: &str| name.chars().next().map(|letter| letter.to_ascii_lowercase());
    let word = name.to_ascii_lowercase();
    first(features) == Some('x')
        && (first(name) == Some('y') || word.contains("label") || word.contains("target"))
}

/// Whether four names say that the halves for the test come first.
fn halves_are_swapped(names: &[&str; 4]) -> bool {
    let says = |name: &str, word: &str, other: &str| {
        let name = name.to_ascii_lowercase();
        name.contains(word) && !name.contains(other)
    };
    let [first, second, third, fourth] = names;
    [first, third].iter().all(|name| says(name, "test", "train"))
        && [second, fourth].iter().all(|name| says(name, "train", "test"))
}

/// Whether a split keeps more samples for the training than for the test, as it does where nothing is said.
fn keeps_more_for_training(call: &str) -> bool {
    let call = compact(call);
    if call.contains("train_size") || call.contains('*') {
        return false;
    }
    let Some((_, size)) = call.split_once("test_size=") else {
        return true;
    };
    let size: String = size
        .chars()
        .take_while(|letter| letter.is_ascii_digit() || *letter == '.')
        .collect();
    size.contains('.') && size.parse::<f64>().is_ok_and(|size| size < 0.5)
}

/// Whether two names mean halves of the same array.
fn same(left: &str, right: &str) -> bool {
    left.chars().next() == right.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, p, y, q = train_test_split(X, Y)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, y, p, q = load(train_test_split)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\na, b, c, d = train_test_split(X, Y)\nx, y = a, c\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, y, x_t, y_t = train_test_split(X, Y, test_size=0.2)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "x, y, x_t, y_t")];
        let fix = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, y, x_t, y_t = train_test_split(X, Y, test_size=0.2)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, x_t, y, y_t = train_test_split(X, Y, test_size=0.2)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }

    #[test]
    fn halves_the_other_way_round() {
        let script = |left: &str, rest: &str| {
            format!(
                "import keras\nfrom sklearn.model_selection import train_test_split\n{left} = train_test_split(X, Y{rest})\n\
                 m = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x_train, y_train)\n"
            )
        };
        let swapped = "x_test, x_train, y_test, y_train";
        let pass = [
            script("x_train, x_test, y_train, y_test", ""),
            script(swapped, ", test_size=0.8"),
            script(swapped, ", train_size=0.2"),
            script(swapped, ", test_size=n"),
        ];
        let fail = [(script(swapped, ", test_size=0.25, random_state=0"), swapped)];
        let fix = [(
            script(swapped, ""),
            script("x_train, x_test, y_train, y_test", ""),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
