//! # dropout-rate-out-of-range (DL603)
//!
//! ## What it does
//! Finds dropout rates below 0, or of 1 and above.
//!
//! ## Why it matters
//! The rate is the share of units that is dropped. Keras refuses values outside of 0 to 1 when the layer is made; at 1
//! everything is dropped and nothing behind the layer can learn. Percentages (`Dropout(20)`) are the usual slip.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dropout(20)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dropout(0.2)
//! ```
//!
//! ## Fix safety
//! Safe where a percentage between 2 and 99 was written; otherwise there is no fix.
//!
//! ## References
//! - Measured on Keras 3.15.1: "Invalid value received for argument `rate`", and at 1 "No gradients provided for any
//!   variable"

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::{Context, number};
use crate::read::is_dropout;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL603",
    name: "dropout-rate-out-of-range",
    kind: Kind::Regularisation,
    severity: Severity::Error,
    source: include_str!("dropout_rate_out_of_range.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in context.program.calls.iter().filter(|call| is_dropout(call)) {
        let Some(argument) = call.argument("rate") else {
            continue;
        };
        let Some(rate) = number(&argument.value.value).filter(|rate| !(0.0..1.0).contains(rate)) else {
            continue;
        };
        let message = format!(
            "the rate of {} is the share of units that is dropped, so it must be below 1; with {rate} {}. Use 0.2, for example",
            call.class(),
            if rate == 1.0 {
                "nothing is left to learn from"
            } else {
                "Keras raises an exception"
            }
        );
        let percent = match argument.value.value {
            Value::Int(percent @ 2..=99) => Some(percent),
            _ => None,
        };
        let fix = percent.map(|percent| {
            context.fix(
                format!("Drop {percent} % of the units"),
                Applicability::Safe,
                argument.value.origin,
                (f64::from(i32::try_from(percent).unwrap_or(20)) / 100.0).to_string(),
            )
        });
        findings.push(Finding {
            confidence: 0.96,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, argument.value.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.Dropout(0.5), L.Dense(1)"),
            layers("L.Dropout(0), L.Dense(1)"),
            layers("L.Dropout(rate), L.Dense(1)"),
        ];
        let fail = [
            (layers("L.Dropout(20), L.Dense(1)"), "20"),
            (layers("L.Dropout(rate=1.0), L.Dense(1)"), "1.0"),
            (layers("L.SpatialDropout2D(-0.1), L.Dense(1)"), "-0.1"),
        ];
        let fix = [(
            layers("L.Dropout(25), L.Dense(1)"),
            layers("L.Dropout(0.25), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
