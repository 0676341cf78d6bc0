//! # one-hot-labels-with-sparse-loss (DL401)
//!
//! ## What it does
//! Finds sparse categorical cross-entropy on labels that were one-hot encoded.
//!
//! ## Why it matters
//! The sparse loss takes class numbers. Labels with a column per class do not fit, and `fit` raises an exception at the
//! first batch.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train = x_train / 255
//! y_train = keras.utils.to_categorical(y_train)
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
//! y_train = keras.utils.to_categorical(y_train)
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Fix safety
//! Safe: the loss is the one for the labels there are.
//!
//! ## References
//! - Measured on Keras 3.15.1: "Argument `output` must have rank (ndim) `target.ndim - 1`"

use crate::context::Context;
use crate::read::Encoding;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL401",
    name: "one-hot-labels-with-sparse-loss",
    kind: Kind::LabelEncoding,
    severity: Severity::Error,
    source: include_str!("one_hot_labels_with_sparse_loss.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(output) = context.output_of_fit(sets.training.call) else {
            continue;
        };

        let labels = sets.training.y.as_ref().and_then(|y| y.encoding(context.program));
        if output.loss.name != "sparse_categorical_crossentropy"
            || !matches!(labels, Some(Encoding::OneHot(_)))
        {
            continue;
        }
        let message = "the labels are one-hot encoded, but this loss takes class numbers and raises an exception at the first \
                       batch; use `categorical_crossentropy`, or leave the labels as they were";
        let new = if output.loss.written.starts_with("Sparse") {
            "CategoricalCrossentropy"
        } else {
            "categorical_crossentropy"
        };
        let edit = context.replace_name(output.loss.range, &output.loss.written, new);
        let fix = edit.map(|(range, text)| {
            context.fix("Use categorical cross-entropy", Applicability::Safe, range, text)
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
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y)\ny = np.argmax(y, axis=1)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, y = load()\ny = encode(y)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y, 10)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "'sparse_categorical_crossentropy'"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, t = load()\nt = to_categorical(t)\nx, p, y, q = train_test_split(x, t)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "'sparse_categorical_crossentropy'")];
        let fix = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y, 10)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y, 10)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
