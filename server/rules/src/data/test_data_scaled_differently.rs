//! # test-data-scaled-differently (DL405)
//!
//! ## What it does
//! Finds test or validation data that is left as it is although the training data from the same source is scaled: images
//! of a known data set of which one half is divided by 255, and features that only the training half of which goes through
//! a scaler.
//!
//! ## Why it matters
//! The network sees other inputs than in training, 255 times larger for one, and what it says of them means nothing: the
//! training looks well and the test accuracy is that of guessing.
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
//! No fix: the statement belongs where the training data is scaled.
//!
//! ## References
//! - `keras.datasets.mnist.load_data`

use crate::context::Context;
use crate::read::{Data, Sets, class_of, function, is_scaler, receiver};
use finding::{Finding, Kind, RuleInfo, Severity};
use program::Step;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL405",
    name: "test-data-scaled-differently",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("test_data_scaled_differently.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = divided(context);
    findings.extend(context.sets().iter().filter_map(|sets| unscaled(context, sets)));
    findings
}

/// Test features that come from the same source as the training features, of which only those go through a scaler.
fn unscaled(context: &Context<'_>, sets: &Sets<'_>) -> Option<Finding> {
    let text = context.text;
    let fit = sets.training.call;
    let train = sets.training.x.as_ref()?;
    let (scaling, object) = train
        .steps
        .iter()
        .find_map(|step| Some((step, scaler(text, step.change.value.slice(text))?)))?;
    // One statement may be several steps.
    let scales = |step: &Step| step.change.statement == scaling.change.statement;
    let behind = train.steps.iter().skip_while(|step| !scales(step));
    let source: Vec<_> = behind.filter(|step| !scales(step)).collect();
    // Another training of a model of that name may have had other features.
    let next = context
        .program
        .fits
        .iter()
        .map(|other| context.program.call(other.call))
        .filter(|other| receiver(other, text) == receiver(fit, text))
        .map(|other| other.range.start)
        .filter(|start| *start > fit.range.start)
        .min()
        .unwrap_or(text.len());
    sets.others.iter().find_map(|other| {
        let x = other.x.as_ref()?;
        let at = other.call.range.start;
        let same_place = function(text, at) == function(text, fit.range.start);
        if at < fit.range.start || at >= next || !same_place {
            return None;
        }
        let shared = x
            .steps
            .iter()
            .position(|step| source.iter().any(|from| from.change.statement == step.change.statement))?;
        let own = x.steps.get(..shared)?;
        if own.iter().any(|step| step.changes_values) || is_transformed(x) {
            return None;
        }
        let place = own.first().map_or(x.range, |step| step.change.value);
        let message = format!(
            "the training features go through `{object}` and these, from the same source, do not, so the network is tested on inputs \
             of another size than it learned from; give them to `{object}.transform` too"
        );
        Some(Finding {
            confidence: 0.9,
            ..context.finding(&INFO, place, message)
        })
    })
}

/// The scaler that a value comes from.
fn scaler<'t>(text: &'t str, value: &'t str) -> Option<&'t str> {
    let object = [".fit_transform(", ".transform("]
        .iter()
        .find_map(|method| value.split_once(method))?
        .0;
    class_of(text, object).filter(|class| is_scaler(class))?;
    Some(object)
}

/// Whether something is done to these values in a way that is not followed.
fn is_transformed(x: &Data<'_>) -> bool {
    let name = x.range.slice(x.text());
    x.text().contains(&format!("transform({name}"))
}

fn divided(context: &Context<'_>) -> Vec<Finding> {
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
        let script = |lines: &str, rest: &str| {
            format!(
                "import keras\nfrom keras.layers import *\nfrom sklearn.preprocessing import *\nfrom sklearn.model_selection import train_test_split\n\
                 x, p, y, q = train_test_split(X, Y)\nstd = StandardScaler()\n{lines}\nm = keras.Sequential([Dense(8, 'relu'), Dense(1)])\n\
                 m.compile('adam', 'mse')\nm.fit(x, y)\n{rest}\n"
            )
        };
        let pass = [
            script(
                "x = std.fit_transform(x)\np = std.transform(p)",
                "m.evaluate(p, q)",
            ),
            script("x = std.fit_transform(x)", "m.evaluate(std.transform(p), q)"),
            script("x = std.fit_transform(x)", "m.evaluate(prepare(p), q)"),
            script(
                "x = std.fit_transform(x)\np = (p - p.mean()) / p.std()",
                "m.evaluate(p, q)",
            ),
            script("x = std.fit_transform(x)", "m.evaluate(other, q)"),
            script("x = encode.fit_transform(x)", "m.evaluate(p, q)"),
            script(
                "X = std.fit_transform(X).astype('float32')\nx, p = X[:80], X[80:]",
                "m.evaluate(p, q)",
            ),
            script(
                "x = std.fit_transform(x)",
                "x = load()\nm.fit(x, y)\nm.evaluate(p, q)",
            ),
            script("", "m.evaluate(p, q)\nx = std.fit_transform(x)\nm.fit(x, y)"),
        ];
        let fail = [
            (script("x = std.fit_transform(x)", "m.evaluate(p, q)"), "p"),
            (
                script(
                    "x = std.fit_transform(x)\np = p.astype('float32')",
                    "m.evaluate(p, q)\nm.predict(p)",
                ),
                "p.astype('float32')",
            ),
            (script("std.fit(x)\nx = std.transform(x)", "m.predict(p)"), "p"),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
