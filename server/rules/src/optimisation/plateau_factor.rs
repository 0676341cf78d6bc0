//! # plateau-factor (DL313)
//!
//! ## What it does
//! Finds `ReduceLROnPlateau` with a factor that does not reduce: 1 and above raises, 0 and below stops learning.
//!
//! ## Why it matters
//! The learning rate is multiplied by the factor at each plateau. Keras refuses 1.0 and above when the callback is
//! made; with 0 or less the rate is `min_lr` at the first plateau, by default 0, and training stands still from then
//! on.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! callback = keras.callbacks.ReduceLROnPlateau(factor=10.0)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! callback = keras.callbacks.ReduceLROnPlateau(factor=0.1)
//! ```
//!
//! ## Fix safety
//! No fix: the intended factor is not known.
//!
//! ## References
//! - Measured on Keras 3.15.1: "ReduceLROnPlateau does not support a factor >= 1.0"

use crate::context::{Context, number};
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL313",
    name: "plateau-factor",
    kind: Kind::LearningRate,
    severity: Severity::Error,
    source: include_str!("plateau_factor.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if call.callee != "keras.callbacks.ReduceLROnPlateau" {
            continue;
        }
        let Some(argument) = call.argument("factor") else {
            continue;
        };
        let Some(factor) = number(&argument.value.value) else {
            continue;
        };
        let (severity, message) = if factor >= 1.0 {
            (
                Severity::Error,
                format!(
                    "the learning rate is multiplied by {factor} at a plateau, which does not reduce it; Keras raises an \
                         exception. Use 0.1 or 0.5"
                ),
            )
        } else if factor <= 0.0 {
            (
                Severity::Warning,
                format!(
                    "a factor of {factor} sets the learning rate to its minimum at the first plateau, which ends learning; \
                         use 0.1 or 0.5"
                ),
            )
        } else {
            continue;
        };
        findings.push(Finding {
            severity,
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
        let pass = [
            "from keras.callbacks import ReduceLROnPlateau\nReduceLROnPlateau(factor=0.5)".to_owned(),
            "from keras.callbacks import ReduceLROnPlateau\nReduceLROnPlateau(factor=f)".to_owned(),
        ];
        let fail = [
            (
                "from keras.callbacks import ReduceLROnPlateau\nReduceLROnPlateau(factor=2)".to_owned(),
                "factor=2",
            ),
            (
                "from keras.callbacks import ReduceLROnPlateau\nReduceLROnPlateau('loss', 0.0)".to_owned(),
                "0.0",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
