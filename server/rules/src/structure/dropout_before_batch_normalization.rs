//! # dropout-before-batch-normalization (DL607)
//!
//! ## What it does
//! Finds dropout before a BatchNormalization.
//!
//! ## Why it matters
//! Dropout changes the variance of its units during training but not afterwards. The normalisation learns the variance
//! of the training and applies it when predicting, where it no longer holds: results get worse exactly there.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dropout(0.5), layers.BatchNormalization(), layers.Dense(1)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(64, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1)])
//! ```
//!
//! ## Fix safety
//! No fix: layers would have to change places.
//!
//! ## References
//! - Li et al.: Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift, CVPR 2019
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use crate::context::Context;
use crate::read::is_dropout;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL607",
    name: "dropout-before-batch-normalization",
    kind: Kind::Regularisation,
    severity: Severity::Hint,
    source: include_str!("dropout_before_batch_normalization.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, dropout, next) in chain.pairs() {
            if is_dropout(dropout) && next.class() == "BatchNormalization" {
                let message = "the BatchNormalization behind this dropout learns a variance that only holds while units are \
                               dropped, and predicts with it when none are; put the dropout behind it";
                findings.push(Finding {
                    confidence: 0.6,
                    layer: context.layer(chain.model, chain.position(index)),
                    ..context.finding(&INFO, dropout.range, message)
                });
            }
        }
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
            layers("L.Dense(8, 'relu'), L.BatchNormalization(), L.Dropout(0.5), L.Dense(1)"),
            layers("L.Dropout(0.5), L.Dense(8), L.BatchNormalization(), L.Dense(1)"),
        ];
        let fail = [(
            layers("L.Dense(8, 'relu'), L.Dropout(0.5), L.BatchNormalization(), L.Dense(1)"),
            "L.Dropout(0.5)",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
