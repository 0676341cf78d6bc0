//! # batch-normalization-momentum (DL626)
//!
//! ## What it does
//! Finds a BatchNormalization whose `momentum` is 0.9999 or more.
//!
//! ## Why it matters
//! In every step of the training, the mean and the variance that are used in `evaluate` and `predict` move by 1 -
//! `momentum` of the way to those of the batch. With 0.9999 they have gone two thirds of the way from their start, 0 and
//! 1, after 10 000 steps; until then the evaluation normalises by other numbers than the training, and its accuracy is
//! near that of guessing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16), layers.BatchNormalization(momentum=0.99999), layers.ReLU(), layers.Dense(1)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16), layers.BatchNormalization(momentum=0.99), layers.ReLU(), layers.Dense(1)])
//! ```
//!
//! ## Fix safety
//! Unsafe: the default, 0.99, is put in; a short training may need less.
//!
//! ## References
//! - `keras.layers.BatchNormalization`

use crate::context::{Context, Given, given, number};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL626",
    name: "batch-normalization-momentum",
    kind: Kind::Regularisation,
    severity: Severity::Warning,
    source: include_str!("batch_normalization_momentum.rs"),
};

/// From here on the statistics are of no use for thousands of steps.
const SLOW: f64 = 0.9999;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        // Statistics that are kept from moving belong to a layer that is not trained.
        if call.callee != "keras.layers.BatchNormalization"
            || !matches!(given(call, "trainable"), Given::Absent)
        {
            continue;
        }
        let Some((argument, momentum)) = call
            .argument("momentum")
            .and_then(|argument| Some((argument, number(&argument.value.value)?)))
            .filter(|(_, momentum)| (SLOW..=1.0).contains(momentum))
        else {
            continue;
        };
        let moves = if momentum == 1.0 {
            "never move from their start, 0 and 1".to_owned()
        } else {
            format!(
                "need about {:.0} steps to leave their start, 0 and 1",
                1.0 / (1.0 - momentum)
            )
        };
        let message = format!(
            "with this momentum the mean and the variance used in evaluation {moves}; until then `evaluate` and `predict` normalise \
             by other numbers than the training; 0.99 is the default, 0.9 suits short trainings"
        );
        let fix = context.fix("Use 0.99", Applicability::Unsafe, argument.value.origin, "0.99");
        findings.push(Finding {
            confidence: 0.92,
            fixes: vec![fix],
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
        let with = |arguments: &str| {
            layers(&format!(
                "L.Dense(8), L.BatchNormalization({arguments}), L.ReLU(), L.Dense(1)"
            ))
        };
        let pass = [
            with(""),
            with("momentum=0.99"),
            with("momentum=0.9997"),
            with("momentum=m"),
            with("momentum=1.0, trainable=False"),
            with("epsilon=1e-5"),
        ];
        let fail = [
            (with("momentum=0.99999"), "0.99999"),
            (with("momentum=0.9999"), "0.9999"),
            (with("momentum=1.0"), "1.0"),
        ];
        let fix = [(with("momentum=0.99999"), with("momentum=0.99"))];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
