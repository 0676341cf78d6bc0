//! # compile-without-loss (DL112)
//!
//! ## What it does
//! Finds Sequential models that are compiled without a loss and then fitted.
//!
//! ## Why it matters
//! Without a loss there is nothing to minimise: `fit` raises `ValueError: No loss to compute` at the first batch.
//! Models whose layers add losses of their own, and subclassed models, are left alone.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam")
//! model.fit(x, y, epochs=5)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, epochs=5)
//! ```
//!
//! ## Fix safety
//! No fix: which loss is right depends on the labels.
//!
//! ## References
//! - Measured on Keras 3.15.1: "No loss to compute. Provide a `loss` argument in `compile()`."

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::{Context, Given, given};
use crate::read::has_one_output;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL112",
    name: "compile-without-loss",
    kind: Kind::Loss,
    severity: Severity::Error,
    source: include_str!("compile_without_loss.rs"),
};

/// Signs that something else adds a loss.
const ADDS_LOSS: [&str; 4] = ["add_loss", "regularizer", "ActivityRegularization", "train_step"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if ADDS_LOSS.iter().any(|sign| context.text.contains(sign)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for training in &context.trainings {
        let (Some(compile), Some(_)) = (
            training.compile,
            training.model.filter(|model| has_one_output(model)),
        ) else {
            continue;
        };
        let missing = match given(compile, "loss") {
            Given::Absent => true,
            Given::Value(loss) => loss.value == Value::None,
            Given::Unknown => false,
        };
        if missing {
            let message = "the model is compiled without a loss, so `fit` raises an exception: there is nothing to \
                           minimise. Pass `loss=`, for example `\"mse\"` for numbers or \
                           `\"sparse_categorical_crossentropy\"` for class numbers";
            findings.push(context.finding(&INFO, compile.callee_range, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam')".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', **o)\nm.fit(x, y)".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1), mine()])\nm.compile('adam')\nm.fit(x, y)".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.add_loss(l)\nm.compile('adam')\nm.fit(x, y)".to_owned()];
        let fail = [("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', metrics=['mae'])\nm.fit(x, y)".to_owned(), "m.compile"), ("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', loss=None)\nm.fit(x, y)".to_owned(), "m.compile")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
