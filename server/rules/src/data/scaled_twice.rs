//! # scaled-twice (DL406)
//!
//! ## What it does
//! Finds images that are divided by 255 and then divided again, by a second statement or by a Rescaling layer.
//!
//! ## Why it matters
//! All pixels end between 0 and 0.004. Against that the weights start far too small, and the network sees nearly black
//! images.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! x_train = x_train / 255
//! model = keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
//! model = keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Fix safety
//! No fix: either of the two can go.
//!
//! ## References
//! - `keras.layers.Rescaling`

use crate::context::{Context, number};
use crate::read::compact;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL406",
    name: "scaled-twice",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("scaled_twice.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (record, sets) in context.program.fits.iter().zip(context.sets()) {
        let Some(x) = sets.training.x.as_ref() else {
            continue;
        };
        let divisions: Vec<_> = x
            .steps
            .iter()
            .filter(|step| {
                let statement = compact(step.change.statement.slice(context.text));
                step.changes_values && (statement.contains("/255") || statement.contains("/=255"))
            })
            .collect();
        // Between two divisions the values may be brought back.
        let changes: Vec<_> = x
            .steps
            .iter()
            .filter(|step| step.changes_values)
            .take(2)
            .collect();
        let neighbours = match changes.as_slice() {
            // What is computed inside one statement is listed apart, but divides once.
            [near, far] => {
                divisions.contains(near)
                    && divisions.contains(far)
                    && near.change.statement != far.change.statement
            }
            _ => false,
        };
        let first = record
            .model
            .and_then(|model| context.program.model(model))
            .and_then(|model| model.layers.first())
            .map(|layer| context.program.call(layer.call));
        let rescaling = first.filter(|call| {
            call.class() == "Rescaling"
                && call
                    .argument("scale")
                    .and_then(|scale| number(&scale.value.value))
                    .is_some_and(|scale| scale < 0.01)
        });
        let nearest = x.last_change().filter(|step| divisions.contains(step));
        let (range, how) = match (nearest, rescaling) {
            (Some(_), Some(layer)) => (layer.range, "by a statement, and by this layer again"),
            (Some(step), None) if neighbours => (step.change.value, "by a statement before, and here again"),
            _ => continue,
        };
        let message = format!(
            "the images are divided by 255 twice, {how}: all pixels end between 0 and 0.004 and the network can hardly see \
             them; divide once"
        );
        findings.push(Finding {
            confidence: 0.92,
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
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nm = keras.Sequential([Flatten(), Rescaling(1/255), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Rescaling(2.0, offset=-1.0), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, y = load()\nx = x / 255\nx = x * 255\nx = x / 255\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nx = np.array([d[0] for d in data]) / 255.0\nm = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\nm = keras.Sequential([Rescaling(1./255), Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)".to_owned(), "Rescaling(1./255)"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\nx /= 255\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "255")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
