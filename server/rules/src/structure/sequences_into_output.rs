//! # sequences-into-output (DL609)
//!
//! ## What it does
//! Finds classifiers and regressors of whole sequences whose last recurrent layer returns every step.
//!
//! ## Why it matters
//! Dense then predicts once per time step. For labels per step (tagging) that is right; for one label per sequence the
//! loss raises an exception. The rule speaks only where the script shows that there is one label per sequence.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! from keras.datasets import imdb
//! (x_train, y_train), (x_test, y_test) = imdb.load_data()
//! model = keras.Sequential([layers.Embedding(90000, 16), layers.LSTM(64, return_sequences=True), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! from keras.datasets import imdb
//! (x_train, y_train), (x_test, y_test) = imdb.load_data()
//! model = keras.Sequential([layers.Embedding(90000, 16), layers.LSTM(64), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x_train, y_train)
//! ```
//!
//! ## Fix safety
//! Unsafe: the labels may be meant per step.
//!
//! ## References
//! - Measured on Keras 3.15.1: "Arguments `target` and `output` must have the same rank"

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use super::missing_return_sequences::recurrent;
use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL609",
    name: "sequences-into-output",
    kind: Kind::Shape,
    severity: Severity::Error,
    source: include_str!("sequences_into_output.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, fit) in context.program.fits.iter().enumerate() {
        let Some(output) = fit
            .compile
            .and_then(|compile| context.output_of(context.program.call(compile)))
        else {
            continue;
        };
        let Some(chain) = context
            .chains
            .iter()
            .find(|chain| std::ptr::eq(chain.model, output.model))
        else {
            continue;
        };
        let Some((position, last)) = chain
            .layers
            .iter()
            .enumerate()
            .rev()
            .find_map(|(position, call)| Some((position, recurrent(context.program, call)?)))
        else {
            continue;
        };
        let returns = last
            .argument("return_sequences")
            .filter(|argument| argument.value.value == Value::Bool(true));
        let straight = chain
            .working_from(position + 1)
            .all(|call| call.class() == "Dense");
        let per_sample = context
            .sets()
            .get(index)
            .and_then(|sets| sets.training.y.as_ref())
            .is_some_and(|labels| labels.one_per_sample(context.program));
        let (Some(argument), true) = (returns, straight && per_sample) else {
            continue;
        };
        let message = format!(
            "this {} returns every time step, so the model predicts once per step, but there is one label per sequence; leave \
             `return_sequences` out in the last recurrent layer",
            last.class()
        );
        let fix = context.fix(
            "Return the last step only",
            Applicability::Unsafe,
            argument.value.origin,
            "False",
        );
        findings.push(Finding {
            confidence: 0.93,
            layer: context.layer(chain.model, chain.position(position)),
            fixes: vec![fix],
            ..context.finding(&INFO, argument.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let tags = |made: &str| {
            format!(
                "import keras\nimport numpy as np\nfrom keras.layers import *\ny = {made}\nm = keras.Sequential([LSTM(8, return_sequences=True), Dense(3, 'softmax')])\nm.compile('adam', 'categorical_crossentropy')\nm.fit(x, y)"
            )
        };
        let pass = [tags("np.eye(3)[tags]"), tags("keras.utils.to_categorical(tags, 3)"), "import keras\nfrom keras.layers import *\nm = keras.Sequential([LSTM(8, return_sequences=True), Dense(3, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, tags)".to_owned()];
        let fail = [("import keras\nfrom keras.layers import *\nfrom keras.datasets import mnist\n(x, y), (p, q) = mnist.load_data()\nx = x / 255\nm = keras.Sequential([LSTM(8, return_sequences=True), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)".to_owned(), "return_sequences=True")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
