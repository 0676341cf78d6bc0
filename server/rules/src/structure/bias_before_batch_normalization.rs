//! # bias-before-batch-normalization (DL606)
//!
//! ## What it does
//! Finds layers with a bias directly before a BatchNormalization.
//!
//! ## Why it matters
//! The normalisation subtracts the mean and the bias with it, then adds one of its own: the layer's bias has no effect
//! and only takes memory and time.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Conv2D(32, 3), layers.BatchNormalization(), layers.ReLU()])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Conv2D(32, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU()])
//! ```
//!
//! ## Fix safety
//! Unsafe: weights saved by the old model no longer fit.
//!
//! ## References
//! - Ioffe, Szegedy: Batch Normalization, ICML 2015, section 3.2
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use crate::context::{Context, Given, given};
use crate::read::{Head, is_convolution};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL606",
    name: "bias-before-batch-normalization",
    kind: Kind::Regularisation,
    severity: Severity::Hint,
    source: include_str!("bias_before_batch_normalization.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, call, next) in chain.pairs() {
            let learns = call.class() == "Dense" || is_convolution(call.class());
            let linear =
                Head::of_layer(context.program, call).is_some_and(|head| head.activation == "linear");
            if !learns || !linear || next.class() != "BatchNormalization" {
                continue;
            }
            if !matches!(given(call, "use_bias"), Given::Absent)
                || !matches!(given(next, "center"), Given::Absent)
            {
                continue;
            }
            let message = "the bias of this layer is subtracted again by the BatchNormalization behind it, so it has no effect; \
                           `use_bias=False` saves it";
            let edit = context.append_argument(call, "use_bias=False");
            let fix =
                edit.map(|edit| context.fix_all("Leave out the bias", Applicability::Unsafe, vec![edit]));
            findings.push(Finding {
                layer: context.layer(chain.model, chain.position(index)),
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, call.range, message)
            });
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
            layers("L.Dense(8, use_bias=False), L.BatchNormalization(), L.Dense(1)"),
            layers("L.Dense(8, 'relu'), L.BatchNormalization(), L.Dense(1)"),
            layers("L.Dense(8, **o), L.BatchNormalization(), L.Dense(1)"),
        ];
        let fail = [(
            layers("L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dense(1)"),
            "L.Dense(8)",
        )];
        let fix = [(
            layers("L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dense(1)"),
            layers("L.Dense(8, use_bias=False), L.BatchNormalization(), L.ReLU(), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
