//! # pixels-not-scaled (DL404)
//!
//! ## What it does
//! Finds models trained on the images of a Keras data set as they are loaded, with pixels from 0 to 255.
//!
//! ## Why it matters
//! Weights and learning rates are made for inputs around 1. With inputs of 255 the first outputs are hundreds of times
//! too large: the loss starts in the hundreds, relu units die, sigmoid and tanh saturate. Models that begin with
//! Rescaling, Normalization or BatchNormalization, or with a backbone, are left alone.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
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
//! x_train, x_test = x_train / 255.0, x_test / 255.0
//! model = keras.Sequential([layers.Flatten(), layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Fix safety
//! Unsafe: other places that use the arrays see other values. Offered where the images have names of their own.
//!
//! ## References
//! - Wardat, Le, Rajan: DeepLocalize, ICSE 2021, program 39525358
//! - Schoop, Huang, Hartmann: UMLAUT, CHI 2021 (input outside [-1, 1])

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::{Call, ModelKind};

use crate::context::Context;
use crate::read::targets;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL404",
    name: "pixels-not-scaled",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("pixels_not_scaled.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (record, sets) in context.program.fits.iter().zip(context.sets()) {
        let model = record.model.and_then(|model| context.program.model(model));
        let Some(model) = model.filter(|model| model.kind == ModelKind::Sequential && model.complete) else {
            continue;
        };
        let scales = |call: &Call| {
            matches!(
                call.class(),
                "Rescaling"
                    | "Normalization"
                    | "BatchNormalization"
                    | "LayerNormalization"
                    | "Lambda"
                    | "Embedding"
            ) || !call.callee.starts_with("keras.layers.")
        };
        if model
            .layers
            .iter()
            .any(|layer| scales(context.program.call(layer.call)))
        {
            continue;
        }
        let Some(x) = sets.training.x.as_ref() else {
            continue;
        };
        let Some((known, 0)) = x.data_set(context.program).filter(|_| x.is_raw()) else {
            continue;
        };
        let Some(step) = x.last_change().filter(|_| known.pixels) else {
            continue;
        };
        let message = format!(
            "the images of {} go into the network as bytes from 0 to 255, a hundred times more than it is made for, so training \
             is slow or fails; divide them by 255 first",
            known.name
        );
        let statement = step.change.statement;
        let line = context
            .text
            .get(..statement.start)
            .and_then(|text| text.rsplit('\n').next());
        let names = targets(statement.slice(context.text));
        let fix = match (names.as_slice(), line.filter(|line| line.trim().is_empty())) {
            ([train, _, test, _], Some(indent)) if *train != "_" && *test != "_" => Some(context.fix(
                "Divide the images by 255",
                Applicability::Unsafe,
                Range::new(statement.end, statement.end),
                format!("\n{indent}{train}, {test} = {train} / 255.0, {test} / 255.0"),
            )),
            _ => None,
        };
        findings.push(Finding {
            confidence: 0.85,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, x.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\np = p / 255\n\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = x.astype('float32')\nx /= 255\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nm = keras.Sequential([Flatten(), Rescaling(1/255), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx = prepare(x)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = imdb.load_data()\nm = keras.Sequential([Flatten(), Dense(2, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "x"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(a, y), (p, q) = mnist.load_data()\nx = a.reshape(60000, 784).astype('float32')\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "x")];
        let fix = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\n(x, y), (p, q) = mnist.load_data()\nx, p = x / 255.0, p / 255.0\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
