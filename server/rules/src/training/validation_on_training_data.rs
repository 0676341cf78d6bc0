//! # validation-on-training-data (DL506)
//!
//! ## What it does
//! Finds a `fit` whose validation data is its training data.
//!
//! ## Why it matters
//! The validation loss is there to show how the network does on samples it has not learned from. On the training
//! samples it falls with the training loss, hides overfitting, and makes early stopping useless.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, validation_data=(x, y))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, validation_split=0.2)
//! ```
//!
//! ## Fix safety
//! Unsafe: 20 % of the samples are kept out of the training, always the last ones.
//!
//! ## References
//! - `keras.Model.fit`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;
use crate::read::{Data, is_plain};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL506",
    name: "validation-on-training-data",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("validation_on_training_data.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (training, sets) in context.trainings.iter().zip(context.training_sets()) {
        if sets.training.x.as_ref().is_some_and(is_made_up) {
            continue;
        }
        let text = |name| {
            training
                .fit
                .argument(name)
                .map(|argument| argument.value.range.slice(context.text))
        };
        let Some(validation) = training.fit.argument("validation_data") else {
            continue;
        };
        let Value::List(list) = &validation.value.value else {
            continue;
        };
        let mut pair = list.iter().map(|element| element.range.slice(context.text));
        let (Some(x), Some(y)) = (text("x"), text("y")) else {
            continue;
        };
        let same = pair.next() == Some(x) && pair.next() == Some(y) && list.len() == 2;
        if same && is_plain(x).is_some() && is_plain(y).is_some() {
            let message = format!(
                "the network is validated on the samples it learns from (`{x}`), so the validation loss hides overfitting; \
                 keep some samples apart, for example with `validation_split=0.2`"
            );
            let fix = context.fix(
                "Validate on the last 20 % of the samples",
                Applicability::Unsafe,
                validation.range,
                "validation_split=0.2",
            );
            findings.push(Finding {
                confidence: 0.92,
                fixes: vec![fix],
                ..context.finding(&INFO, validation.value.range, message)
            });
        }
    }
    findings
}

/// Whether the samples are there to show something or to test with, not to learn from.
fn is_made_up(x: &Data<'_>) -> bool {
    const MAKERS: [&str; 6] = ["random", "ones(", "zeros(", "arange(", "linspace(", "randn("];
    let made = |value: &str| MAKERS.iter().any(|maker| value.contains(maker));
    x.range.slice(x.text()).starts_with("self.") || x.values().any(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fitted;

    #[test]
    fn tables() {
        let pass = [
            fitted("x, y, validation_data=(xv, yv)"),
            fitted("x, x, validation_data=(xv, xv)"),
            fitted("x, y, validation_data=v"),
            fitted("make(), y, validation_data=(make(), y)"),
        ];
        let fail = [
            (fitted("x, y, validation_data=(x, y)"), "(x, y)"),
            (fitted("d.x, d.y, validation_data=[d.x, d.y]"), "[d.x, d.y]"),
        ];
        let fix = [(
            fitted("x, y, validation_data=(x, y), verbose=0"),
            fitted("x, y, validation_split=0.2, verbose=0"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
