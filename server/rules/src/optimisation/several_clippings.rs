//! # several-clippings (DL307)
//!
//! ## What it does
//! Finds optimizers that are given more than one of `clipnorm`, `clipvalue` and `global_clipnorm`.
//!
//! ## Why it matters
//! Keras raises `ValueError: Only one of clipnorm, clipvalue and global_clipnorm can be set` when the optimizer is
//! made.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.Adam(clipnorm=1.0, clipvalue=0.5)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.Adam(clipnorm=1.0)
//! ```
//!
//! ## Fix safety
//! No fix: which of them is meant is not known.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use super::clipping_without_effect::CLIPS;
use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL307",
    name: "several-clippings",
    kind: Kind::Optimizer,
    severity: Severity::Error,
    source: include_str!("several_clippings.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let optimizers = context
        .program
        .calls
        .iter()
        .filter(|call| call.callee.starts_with("keras.optimizers."));
    for call in optimizers {
        let given: Vec<_> = CLIPS
            .iter()
            .filter_map(|name| call.argument(name))
            .filter(|argument| matches!(argument.value.value, Value::Int(_) | Value::Float(_)))
            .collect();
        if let [_, second, ..] = given.as_slice() {
            let message = "an optimizer takes only one of `clipnorm`, `clipvalue` and `global_clipnorm` and raises an \
                           exception for more; keep one";
            findings.push(Finding {
                confidence: 0.95,
                ..context.finding(&INFO, second.range, message)
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = [
            "import keras\nkeras.optimizers.Adam(clipnorm=1.0)".to_owned(),
            "import keras\nkeras.optimizers.Adam(clipnorm=1.0, clipvalue=None)".to_owned(),
        ];
        let fail = [(
            "import keras\nkeras.optimizers.SGD(clipvalue=0.5, clipnorm=1.0)".to_owned(),
            "clipvalue=0.5",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
