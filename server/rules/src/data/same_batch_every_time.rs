//! # same-batch-every-time (DL421)
//!
//! ## What it does
//! Finds generators that `fit` is given and that yield the same batch in every turn of their endless loop: nothing that
//! the batch is made of is advanced, assigned anew or drawn at random in the loop.
//!
//! ## Why it matters
//! The network sees the samples of one batch again and again and none of the others. The training loss falls to 0, and
//! on other samples the network is no better than at the start.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! def batches(x, y, batch_size):
//!     while True:
//!         for i in range(len(x) // batch_size):
//!             start = 0
//!             yield x[start:start + batch_size], y[start:start + batch_size]
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(batches(x, y, 32), steps_per_epoch=100)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! def batches(x, y, batch_size):
//!     while True:
//!         for i in range(len(x) // batch_size):
//!             start = i * batch_size
//!             yield x[start:start + batch_size], y[start:start + batch_size]
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(batches(x, y, 32), steps_per_epoch=100)
//! ```
//!
//! ## Fix safety
//! No fix: how the next batch is to be picked is not known.
//!
//! ## References
//! - `keras.Model.fit`

use finding::{Finding, Kind, RuleInfo, Severity};

use crate::context::Context;
use crate::read::Data;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL421",
    name: "same-batch-every-time",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("same_batch_every_time.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if context.trainings.is_empty() {
        return findings;
    }
    for repeated in context.program.repeated_batches(context.text) {
        // To learn one batch by heart is a test of the network.
        let deliberate = repeated.name.contains("overfit") || repeated.name.contains("single");
        let trains = context
            .training_sets()
            .filter_map(|sets| sets.training.x.as_ref())
            .any(|x| is_made_by(x, &repeated.name));
        if !trains || deliberate {
            continue;
        }
        let message = format!(
            "`{}` yields the same batch every time: nothing that picks it changes in the loop, so the network learns these samples \
             by heart and never sees the others; go on to the next ones in each step, or draw them at random",
            repeated.name
        );
        findings.push(Finding {
            confidence: 0.92,
            ..context.finding(&INFO, repeated.picks, message)
        });
    }
    findings
}

/// Whether data comes from a call of a function.
fn is_made_by(x: &Data<'_>, function: &str) -> bool {
    let names = |value: &str| {
        value
            .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .any(|word| word == function)
    };
    names(x.range.slice(x.text())) || x.values().any(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(turn: &str, fit: &str) -> String {
        format!(
            "import keras\ndef batches(x, y, batch_size):\n    while True:\n        for i in range(len(x) // batch_size):\n            \
             start = {turn}\n            yield x[start:start + batch_size], y[start:start + batch_size]\n\
             m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\nm.compile('adam', 'mse')\n{fit}\n"
        )
    }

    #[test]
    fn tables() {
        let pass = [
            script("i * batch_size", "m.fit(batches(x, y, 32), steps_per_epoch=9)"),
            script("0", "m.fit(x, y)"),
            script("0", "m.fit(x, y)\nm.predict(batches(x, y, 32), steps=9)"),
        ];
        let fail = [
            (
                script("0", "m.fit(batches(x, y, 32), steps_per_epoch=9)"),
                "start = 0",
            ),
            (
                script("0", "g = batches(x, y, 32)\nm.fit(g, steps_per_epoch=9)"),
                "start = 0",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
