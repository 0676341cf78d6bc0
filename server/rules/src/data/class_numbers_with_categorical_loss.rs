//! # class-numbers-with-categorical-loss (DL402)
//!
//! ## What it does
//! Finds categorical cross-entropy, and binary cross-entropy of several units, on labels that are class numbers.
//!
//! ## Why it matters
//! These losses compare a column per unit with a column per unit. One column of class numbers does not fit, and `fit`
//! raises an exception at the first batch.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train = x_train / 255
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="categorical_crossentropy")
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
//! Safe: the loss is the one for the labels there are. No fix where the output is no softmax.
//!
//! ## References
//! - Measured on Keras 3.15.1: "Arguments `target` and `output` must have the same rank"

use crate::context::Context;
use crate::read::Encoding;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL402",
    name: "class-numbers-with-categorical-loss",
    kind: Kind::LabelEncoding,
    severity: Severity::Error,
    source: include_str!("class_numbers_with_categorical_loss.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(output) = context.output_of_fit(sets.training.call) else {
            continue;
        };

        let labels = sets.training.y.as_ref().and_then(|y| y.encoding(context.program));
        // With one unit the loss is wrong for another reason, which has its own rule.
        let several = output.head.units.is_some_and(|units| units > 1);
        let categorical = output.loss.name == "categorical_crossentropy";
        let numbers = match (labels, output.loss.name) {
            (Some(Encoding::Numbers(_)), "categorical_crossentropy") => true,
            // Of two classes, one unit is too many.
            (Some(Encoding::Numbers(largest)), "binary_crossentropy") => {
                largest.is_some_and(|largest| largest > 1)
            }
            _ => false,
        };
        if !several || !numbers {
            continue;
        }
        let message = "the labels are class numbers, but this loss takes a column per unit and raises an exception at the first \
                       batch; use `sparse_categorical_crossentropy` after a softmax, or encode the labels with `to_categorical`";
        let new = if output.loss.written.starts_with(char::is_uppercase) {
            "SparseCategoricalCrossentropy"
        } else {
            "sparse_categorical_crossentropy"
        };
        let edit = (categorical || output.head.activation == "softmax")
            .then(|| context.replace_name(output.loss.range, &output.loss.written, new))
            .flatten();
        let fix = edit.map(|(range, text)| {
            context.fix(
                "Use sparse categorical cross-entropy",
                Applicability::Safe,
                range,
                text,
            )
        });
        findings.push(Finding {
            confidence: 0.96,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, output.loss.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = np.eye(10)[y]\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, y = load()\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "'categorical_crossentropy'"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, t = load()\nle = LabelEncoder()\ny = le.fit_transform(t)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "'categorical_crossentropy'")];
        let fix = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
        let script = |head: &str, loss: &str| {
            format!(
                "import keras\nfrom keras.layers import *\nd = load_iris()\n\
                 m = keras.Sequential([Dense(8, 'relu'), {head}])\nm.compile('adam', '{loss}')\nm.fit(d.data, d.target)\n"
            )
        };
        let (binary, sparse) = ("binary_crossentropy", "sparse_categorical_crossentropy");
        let pass = [
            script("Dense(3, 'softmax')", sparse),
            script("Dense(1, 'sigmoid')", binary),
        ];
        let softmax = script("Dense(3, 'softmax')", binary);
        let fail = [
            (softmax.clone(), "'binary_crossentropy'"),
            (script("Dense(3, 'sigmoid')", binary), "'binary_crossentropy'"),
        ];
        crate::testing::check(
            &INFO,
            &pass,
            &fail,
            &[(softmax, script("Dense(3, 'softmax')", sparse))],
        );
    }
}
