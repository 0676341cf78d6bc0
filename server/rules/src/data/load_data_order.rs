//! # load-data-order (DL409)
//!
//! ## What it does
//! Finds the results of a Keras `load_data()` taken in the wrong order.
//!
//! ## Why it matters
//! The function gives a pair of training arrays and a pair of test arrays: `(x_train, y_train), (x_test, y_test)`. With
//! `(x_train, x_test), (y_train, y_test)` the training labels become test images.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, x_test), (y_train, y_test) = keras.datasets.mnist.load_data()
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train / 255, y_train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train / 255, y_train)
//! ```
//!
//! ## Fix safety
//! Safe: the names say what each was meant to be.
//!
//! ## References
//! - `keras.datasets.mnist.load_data`

use crate::context::Context;
use crate::read::{compact, targets};
use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL409",
    name: "load-data-order",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("load_data_order.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if !call.callee.starts_with("keras.datasets.") || call.class() != "load_data" {
            continue;
        }
        let before = context.text.get(..call.range.start).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.get(start..).unwrap_or_default();
        let names = targets(line);
        let [first, second, third, fourth] = names.as_slice() else {
            continue;
        };
        let pairs = compact(line) == format!("({first},{second}),({third},{fourth})=");
        let letters: String = names
            .iter()
            .filter_map(|name| name.chars().next())
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        let halves = second.contains("test") || second.contains("val");
        if !pairs || letters != "xxyy" || !halves {
            continue;
        }
        let message = format!(
            "`load_data` gives the training pair and then the test pair, so `{second}` holds the training labels here; write \
             `({first}, {third}), ({second}, {fourth}) = …`"
        );
        let indent = line.len() - line.trim_start().len();
        let end = start
            + line
                .rfind('=')
                .map_or(line.len(), |at| line.get(..at).unwrap_or(line).trim_end().len());
        let range = Range::new(start + indent, end);
        let fix = context.fix(
            "Put the names in order",
            Applicability::Safe,
            range,
            format!("({first}, {third}), ({second}, {fourth})"),
        );
        findings.push(Finding {
            confidence: 0.96,
            fixes: vec![fix],
            ..context.finding(&INFO, range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "from keras.datasets import mnist\n(x_train, y_train), (x_test, y_test) = mnist.load_data()".to_owned(), "from keras.datasets import mnist\ntrain, test = mnist.load_data()".to_owned()];
        let fail = [(
            "from keras.datasets import mnist\n(x_train, x_test), (y_train, y_test) = mnist.load_data()"
                .to_owned(),
            "(x_train, x_test), (y_train, y_test)",
        )];
        let fix = [(
            "from keras.datasets import mnist\n(x_train, x_test), (y_train, y_test) = mnist.load_data()"
                .to_owned(),
            "from keras.datasets import mnist\n(x_train, y_train), (x_test, y_test) = mnist.load_data()"
                .to_owned(),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
