//! # evaluation-on-training-data (DL515)
//!
//! ## What it does
//! Finds models that are judged only on the samples they were trained on: no validation, and every `evaluate` on the
//! arrays of `fit`.
//!
//! ## Why it matters
//! A network can learn its training samples by heart. What it is worth shows on samples it has not seen.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics=["mae"])
//! model.fit(x, y, epochs=100)
//! print(model.evaluate(x, y))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse", metrics=["mae"])
//! model.fit(x_train, y_train, epochs=100)
//! print(model.evaluate(x_test, y_test))
//! ```
//!
//! ## Fix safety
//! No fix: the samples have to be split.
//!
//! ## References
//! - `sklearn.model_selection.train_test_split`

use crate::context::Context;
use crate::read::{is_plain, receiver};
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL515",
    name: "evaluation-on-training-data",
    kind: Kind::DataOther,
    severity: Severity::Hint,
    source: include_str!("evaluation_on_training_data.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let [training] = context.trainings.as_slice() else {
        return Vec::new();
    };
    let text = |call: &program::Call, name| {
        call.argument(name)
            .map(|argument| argument.value.range.slice(context.text))
    };
    let evaluates: Vec<_> = context
        .program
        .calls
        .iter()
        .filter(|call| {
            call.callee == "Model.evaluate"
                && receiver(call, context.text) == receiver(training.fit, context.text)
        })
        .collect();
    let (Some(x), Some(first)) = (text(training.fit, "x").and_then(is_plain), evaluates.first()) else {
        return Vec::new();
    };
    let on_training = |call: &&program::Call| text(call, "x") == Some(x);
    if training.validates() != Some(false) || !evaluates.iter().all(on_training) {
        return Vec::new();
    }
    // A few points of a truth table are the whole world: there is nothing else to test on.
    let tiny = context
        .sets()
        .first()
        .and_then(|sets| sets.training.x.as_ref())
        .is_some_and(|x| x.values().any(|value| value.contains("[[")));
    if tiny {
        return Vec::new();
    }
    let message = format!(
        "the model is evaluated on `{x}`, the samples it learned from, and on nothing else, so overfitting stays hidden; keep \
         some samples apart and evaluate on them"
    );
    vec![Finding {
        confidence: 0.7,
        ..context.finding(&INFO, first.callee_range, message)
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fitted;

    #[test]
    fn tables() {
        let pass = [fitted("x, y, validation_split=0.1"), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nm.fit(x, y)\nm.evaluate(p, q)".to_owned(), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nm.fit(x, y)\nm.evaluate(x, y)\nm.evaluate(p, q)".to_owned(), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nimport numpy as np\nx = np.array([[0, 1], [1, 1]])\nm.fit(x, y, epochs=999)\nm.evaluate(x, y)".to_owned()];
        let fail = [("import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nm.fit(x, y)\nm.evaluate(x, y)".to_owned(), "m.evaluate")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
