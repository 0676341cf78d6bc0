//! # labels-beyond-output (DL403)
//!
//! ## What it does
//! Finds outputs with fewer units than the labels have classes.
//!
//! ## Why it matters
//! Class numbers from the number of units on have no unit: TensorFlow raises on the CPU and gives NaN on a GPU. For
//! one-hot labels another number of columns than of units raises in any case. Labels that run from 1 to C need C + 1
//! units, or 1 subtracted. One unit with binary cross-entropy tells two classes apart; labels beyond 1 pull its loss
//! below zero without end.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train = x_train / 255
//! model = keras.Sequential([layers.Flatten(), layers.Dense(9, activation="softmax")])
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
//! Unsafe: the labels may be what is wrong.
//!
//! ## References
//! - Measured on Keras 3.15.1: InvalidArgumentError in SparseSoftmaxCrossEntropyWithLogits

use crate::context::Context;
use crate::read::Encoding;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL403",
    name: "labels-beyond-output",
    kind: Kind::LayerSize,
    severity: Severity::Error,
    source: include_str!("labels_beyond_output.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(output) = context.output_of_fit(sets.training.call) else {
            continue;
        };

        let labels = sets.training.y.as_ref().and_then(|y| y.encoding(context.program));
        let (Some(labels), Some(units), Some(argument)) =
            (labels, output.head.units, output.head.call.argument("units"))
        else {
            continue;
        };
        let (needed, message) = match (labels, output.loss.name) {
            (Encoding::Numbers(Some(largest)), "sparse_categorical_crossentropy") if units > 1 && largest >= units => (
                largest + 1,
                format!(
                    "the labels go up to {largest}, but the output has {units} units, numbered from 0 to {}: the loss raises an \
                     exception or is NaN; use {} units, or number the classes from 0",
                    units - 1,
                    largest + 1
                ),
            ),
            (Encoding::Numbers(Some(largest)), "binary_crossentropy") if units == 1 && largest > 1 => (
                largest + 1,
                format!(
                    "the labels go up to {largest}, but one unit with binary cross-entropy can tell only 0 from 1, and labels \
                     beyond that pull the loss below zero without end; use {} units with softmax and sparse categorical \
                     cross-entropy",
                    largest + 1
                ),
            ),
            (Encoding::OneHot(Some(classes)), "categorical_crossentropy") if units > 1 && classes != units => (
                classes,
                format!(
                    "the labels have {classes} columns and the output {units} units, so the loss raises an exception; use \
                     {classes} units"
                ),
            ),
            (Encoding::OneHot(classes), "binary_crossentropy") if units == 1 => (
                classes.unwrap_or(2),
                "the labels have a column per class and the output a single unit, so the loss raises an exception; leave the \
                 labels as 0 and 1"
                    .to_owned(),
            ),
            _ => continue,
        };
        let fix = (units > 1).then(|| {
            context.fix(
                format!("Use {needed} units"),
                Applicability::Unsafe,
                argument.value.origin,
                needed.to_string(),
            )
        });
        findings.push(Finding {
            confidence: 0.95,
            layer: context.layer(output.model, output.head.position),
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, argument.value.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(11, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(n, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx = load()\ny = np.random.randint(0, 10, n)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = y % 2\nm = keras.Sequential([Flatten(), Dense(2, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(9, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "9"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx = load()\ny = np.random.randint(1, 11, size=(100,))\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "10"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\ny = to_categorical(y, 10)\nm = keras.Sequential([Flatten(), Dense(2, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "2"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, t = load()\ny = to_categorical(t, 2)\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned(), "1")];
        let fix = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(9, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
        let script = |labels: &str| {
            format!(
                "import keras\nimport numpy as np\nfrom keras.layers import *\nx = load()\n{labels}\nm = keras.Sequential([Flatten(), Dense(3, \
                 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n"
            )
        };
        let pass = [
            script("y = np.array([0, 1, 2, 1])"),
            script("y = np.repeat([1, 2, 3], 50) - 1"),
            script("y = fetch_covtype().target - 1"),
            script("y = labels + 1"),
            script("y = np.array([0, 1, 2, 3, 4])").replace("fit(x, y)", "fit(x[few], y[few])"),
        ];
        let fail = [
            (script("y = np.array([1, 2, 3, 3])"), "3"),
            (script("y = np.repeat(np.arange(1, 4), 50)"), "3"),
            (script("y = np.random.randint(0, 3, size=100) + 1"), "3"),
            (script("d = fetch_covtype()\ny = d.target"), "3"),
            (
                script("y = np.array([1, 2, 3, 3])").replace("fit(x, y)", "fit(x[:3], y[:3])"),
                "3",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
        let binary = |labels: &str| {
            format!(
                "import keras\nfrom keras.layers import *\n{labels}\nm = keras.Sequential([Dense(8, 'relu'), Dense(1, 'sigmoid')])\n\
                 m.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n"
            )
        };
        let pass = [
            binary("x, y = make_moons(200)"),
            binary("x, y = make_classification(500, n_classes=2)"),
            binary("x, y = load_breast_cancer(return_X_y=True)"),
            binary("x, y = load_iris(return_X_y=True)\ny = y == 2"),
            binary("x, y = load_iris(return_X_y=True)\nx, y = x[y < 2], y[y < 2]"),
        ];
        let fail = [
            (binary("x, y = load_iris(return_X_y=True)"), "1"),
            (binary("x, y = make_classification(500, n_classes=4)"), "1"),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
