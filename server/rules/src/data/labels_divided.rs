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
//! No fix: the statement should go, which may leave names unused.
//!
//! ## References
//! - Measured on Keras 3.15.1: `fit` takes the fractions without a word

use crate::context::Context;
use finding::{Finding, Kind, RuleInfo, Severity};

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
                ..context.finding(&INFO, step.change.value, message)
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(784, 'sigmoid')])\nm.compile('adam', 'mse')\nm.fit(x, x)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, y = load()\ny = y / 10\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = y / 255\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "y / 255"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y) / 255.0\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "to_categorical(y) / 255.0")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
