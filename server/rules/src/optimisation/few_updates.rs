//! # few-updates (DL315)
//!
//! ## What it does
//! Finds trainings of fewer than 50 updates of the weights, where the number of samples is known.
//!
//! ## Why it matters
//! The optimizer makes one step per batch. A handful of samples in one batch is one step per epoch, so ten epochs are
//! ten steps: far too few for the weights to get anywhere, whatever the architecture.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! import numpy as np
//! x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
//! y = np.array([0, 1, 1, 0])
//! model = keras.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x, y, epochs=10)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! import numpy as np
//! x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
//! y = np.array([0, 1, 1, 0])
//! model = keras.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x, y, epochs=1000)
//! ```
//!
//! ## Fix safety
//! No fix: how long is long enough is for the loss curve to say.
//!
//! ## References
//! - DeepLocalize-40, programs whose published fix is more epochs

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::{Context, Given, given};
use crate::read::{Data, compact, is_plain};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL315",
    name: "few-updates",
    kind: Kind::Epochs,
    severity: Severity::Information,
    source: include_str!("few_updates.rs"),
};

/// Fewer steps than this hardly move the weights.
const FEW: i64 = 50;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let fit = sets.training.call;
        let whole = |name, default| match given(fit, name) {
            Given::Value(value) => match value.value {
                Value::Int(number @ 1..) => Some(number),
                _ => None,
            },
            Given::Absent => Some(default),
            Given::Unknown => None,
        };
        // A lonely `fit` in a loop or function may be one of many.
        let indented = context
            .text
            .get(..fit.range.start)
            .and_then(|before| before.rsplit('\n').next())
            .is_some_and(|line| line.starts_with([' ', '\t']));
        if indented || fit.class() != "fit" || !matches!(given(fit, "steps_per_epoch"), Given::Absent) {
            continue;
        }
        let samples = sets.training.x.as_ref().and_then(|x| samples(context, x));
        let (Some(samples), Some(epochs), Some(batch)) =
            (samples, whole("epochs", 1), whole("batch_size", 32))
        else {
            continue;
        };
        let steps = (samples + batch - 1) / batch * epochs;
        if steps < FEW && context.trainings.len() == 1 {
            let message = format!(
                "{samples} samples in batches of {batch}, {epochs} times over, are {steps} updates of the weights: too few to \
                 learn much; raise `epochs` until the loss no longer falls"
            );
            let range = fit
                .argument("epochs")
                .map_or(fit.callee_range, |argument| argument.range);
            findings.push(Finding {
                confidence: 0.7,
                ..context.finding(&INFO, range, message)
            });
        }
    }
    findings
}

/// How many samples there are: of a data set of Keras, or written out.
fn samples(context: &Context<'_>, x: &Data<'_>) -> Option<i64> {
    is_plain(x.range.slice(context.text))?;
    if let Some((known, 0)) = x.data_set(context.program) {
        return x.is_raw().then_some(known.samples);
    }
    let [step] = x.steps.as_slice() else { return None };
    let value = compact(step.change.value.slice(context.text));
    let rows = value
        .strip_prefix("np.array([[")
        .or_else(|| value.strip_prefix("numpy.array([["))?;
    let closed = rows.find("]]")?;
    let rows = rows.get(..closed)?;
    let plain = rows
        .chars()
        .all(|letter| letter.is_ascii_digit() || "[],.-".contains(letter));
    plain.then(|| i64::try_from(rows.matches("],[").count() + 1).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras, numpy as np\nx = np.array([[0, 0], [1, 1]])\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y, epochs=500)".to_owned(), "import keras, numpy as np\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(load(), y, epochs=1)".to_owned(), "import keras, numpy as np\nx = np.array([[0, 0], [1, 1]])\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nfor _ in range(100):\n    m.fit(x, y)".to_owned()];
        let fail = [("import keras, numpy as np\nx = np.array([[0, 0], [1, 1]])\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y, epochs=20)".to_owned(), "epochs=20")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
