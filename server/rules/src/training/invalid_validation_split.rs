//! # invalid-validation-split (DL513)
//!
//! ## What it does
//! Finds a `validation_split` that is not at least 0 and below 1.
//!
//! ## Why it matters
//! It is a share of the samples, not a number of them and not a percentage. At 1 nothing is left to train on and Keras
//! raises; above 1 it trains on nothing with a warning.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y, validation_split=20)
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
//! Safe where a percentage between 1 and 99 was written; otherwise there is no fix.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::{Context, number};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL513",
    name: "invalid-validation-split",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("invalid_validation_split.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for training in &context.trainings {
        let Some(argument) = training.fit.argument("validation_split") else {
            continue;
        };
        let Some(share) = number(&argument.value.value).filter(|share| !(0.0..1.0).contains(share)) else {
            continue;
        };
        let message = format!(
            "`validation_split` is the share of the samples that is kept for validation, so it must be below 1: with {share} \
             nothing is left to train on; 0.2 is usual"
        );
        let percent = match argument.value.value {
            Value::Int(percent @ 2..=99) => Some(percent),
            _ => None,
        };
        let fix = percent.map(|percent| {
            context.fix(
                format!("Keep {percent} % of the samples"),
                Applicability::Safe,
                argument.value.origin,
                (f64::from(i32::try_from(percent).unwrap_or(20)) / 100.0).to_string(),
            )
        });
        findings.push(Finding {
            confidence: 0.95,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, argument.value.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fitted;

    #[test]
    fn tables() {
        let pass = [
            fitted("x, y, validation_split=0.2"),
            fitted("x, y, validation_split=0"),
            fitted("x, y, validation_split=share"),
        ];
        let fail = [
            (fitted("x, y, validation_split=20"), "20"),
            (fitted("x, y, validation_split=1.0"), "1.0"),
        ];
        let fix = [(
            fitted("x, y, validation_split=20"),
            fitted("x, y, validation_split=0.2"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
