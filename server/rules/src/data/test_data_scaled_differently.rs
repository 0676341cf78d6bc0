//! # test-data-scaled-differently (DL405)
//!
//! ## What it does
//! Finds test or validation images that are not divided by 255 although the training images are (or the other way
//! round).
//!
//! ## Why it matters
//! The network sees inputs 255 times larger than in training, and what it says of them means nothing: the training
//! looks well and the test accuracy is that of guessing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train = x_train / 255
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train, validation_data=(x_test, y_test))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train = x_train / 255
//! x_test = x_test / 255
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train, validation_data=(x_test, y_test))
//! ```
//!
//! ## Fix safety
//! No fix: the statement belongs where the training images are divided.
//!
//! ## References
//! - `keras.datasets.mnist.load_data`

use crate::context::Context;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL405",
    name: "test-data-scaled-differently",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("test_data_scaled_differently.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(train) = sets.training.x.as_ref() else {
            continue;
        };
        let Some((known, 0)) = train.data_set(context.program).filter(|(known, _)| known.pixels) else {
            continue;
        };
        for other in &sets.others {
            let Some(x) = other.x.as_ref() else { continue };
            if x.data_set(context.program).is_none_or(|(_, index)| index != 2) {
                continue;
            }
            let (scaled, raw) = if train.divided().is_some() && x.is_raw() {
                ("training", "test")
            } else if train.is_raw() && x.divided().is_some() {
                ("test", "training")
            } else {
                continue;
            };
            let message = format!(
                "the {scaled} images of {} are divided by 255 and the {raw} images are not, so the network is tested on inputs of \
                 another size than it learned from; treat both alike",
                known.name
            );
            findings.push(Finding {
                confidence: 0.93,
                ..context.finding(&INFO, x.range, message)
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
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.evaluate(p, q)".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx, p = x / 255, p / 255\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.evaluate(p, q)".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.evaluate(prepare(p), q)".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.evaluate(p, q)".to_owned(), "p"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x.reshape(-1, 784) / 255.\np = p.reshape(-1, 784)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y, validation_data=(p, q))\n".to_owned(), "p")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
