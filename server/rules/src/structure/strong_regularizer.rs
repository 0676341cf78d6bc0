//! # strong-regularizer (DL618)
//!
//! ## What it does
//! Finds L1 and L2 penalties of 0.1 and more on the weights of a layer.
//!
//! ## Why it matters
//! The penalty is added to the loss for every weight. At such a factor it outweighs the loss itself, the weights are
//! pulled to zero and the network underfits. Usual factors lie between 1e-5 and 1e-2.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.l2(0.5))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dense(64, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-4))
//! ```
//!
//! ## Fix safety
//! Unsafe: the best factor has to be tried.
//!
//! ## References
//! - `keras.regularizers.L2`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::{Context, number};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL618",
    name: "strong-regularizer",
    kind: Kind::Regularisation,
    severity: Severity::Information,
    source: include_str!("strong_regularizer.rs"),
};

const STRONG: f64 = 0.1;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        let Some(argument) = call.argument("kernel_regularizer") else {
            continue;
        };
        let Value::Call(regularizer) = argument.value.value else {
            continue;
        };
        let regularizer = context.program.call(regularizer);
        if !regularizer.callee.starts_with("keras.regularizers.") {
            continue;
        }
        for name in ["l1", "l2"] {
            let Some(factor) = regularizer.argument(name) else {
                continue;
            };
            let Some(strength) = number(&factor.value.value).filter(|strength| *strength >= STRONG) else {
                continue;
            };
            let message = format!(
                "a penalty of {strength} on every weight outweighs the loss itself, so the weights are pulled to zero and the \
                 network underfits; start from 1e-4"
            );
            let fix = context.fix("Use 1e-4", Applicability::Unsafe, factor.value.origin, "1e-4");
            findings.push(Finding {
                confidence: 0.7,
                fixes: vec![fix],
                ..context.finding(&INFO, factor.value.range, message)
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
            layers("L.Dense(8, 'relu', kernel_regularizer=keras.regularizers.l2(0.01)), L.Dense(1)"),
            layers("L.Dense(8, 'relu', kernel_regularizer='l2'), L.Dense(1)"),
            layers("L.Dense(8, 'relu', kernel_regularizer=keras.regularizers.l2(s)), L.Dense(1)"),
        ];
        let fail = [(
            layers("L.Dense(8, 'relu', kernel_regularizer=keras.regularizers.l2(0.5)), L.Dense(1)"),
            "0.5",
        )];
        let fix = [(
            layers("L.Dense(8, 'relu', kernel_regularizer=keras.regularizers.L1(1)), L.Dense(1)"),
            layers("L.Dense(8, 'relu', kernel_regularizer=keras.regularizers.L1(1e-4)), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
