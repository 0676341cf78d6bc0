//! # integer-learning-rate (DL002)
//!
//! ## What it does
//! Finds optimizers whose learning rate is written as a whole number without a decimal point.
//!
//! ## Why it matters
//! Keras 3 only takes a float, a schedule or a callable as learning rate: `SGD(learning_rate=1)` raises
//! `ValueError`, `SGD(learning_rate=1.0)` does not. Keras 2 took both.
//!
//! ## Example
//! ```python
//! import keras
//! optimizer = keras.optimizers.Adadelta(learning_rate=1)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! optimizer = keras.optimizers.Adadelta(learning_rate=1.0)
//! ```
//!
//! ## Fix safety
//! Safe: the number stays the same.
//!
//! ## References
//! - `keras/src/optimizers/base_optimizer.py` of Keras 3.15.1: the learning rate must be an instance of `float`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL002",
    name: "integer-learning-rate",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("integer_learning_rate.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if context.program.legacy_keras {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for call in &context.program.calls {
        let Some(optimizer) = call
            .callee
            .strip_prefix("keras.optimizers.")
            .filter(|name| !name.contains('.'))
        else {
            continue;
        };
        let Some(argument) = call.argument("learning_rate") else {
            continue;
        };
        // Zero and below are wrong for another reason, which has its own rule.
        let Value::Int(rate @ 1..) = argument.value.value else {
            continue;
        };
        let message = format!(
            "Keras 3 refuses a learning rate that is not a float, so this call of `{optimizer}` raises an exception; \
             write `{rate}.0`"
        );
        let mut finding = context.finding(&INFO, argument.value.range, message);
        finding.confidence = 0.95;
        if argument.value.range.slice(context.text) == rate.to_string() {
            let title = format!("Write `{rate}.0`");
            finding.fixes.push(context.fix(
                title,
                Applicability::Safe,
                argument.value.range,
                format!("{rate}.0"),
            ));
        }
        findings.push(context.dated(finding));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        crate::testing::check(
            &INFO,
            &[
                "import keras\nkeras.optimizers.SGD(learning_rate=1.0)",
                "import keras\nkeras.optimizers.SGD(learning_rate=rate)",
                "import tf_keras\ntf_keras.optimizers.SGD(learning_rate=1)",
                "import keras\nkeras.optimizers.schedules.CosineDecay(1, 1000)",
            ],
            &[
                ("import keras\nkeras.optimizers.SGD(1)", "1"),
                (
                    "import keras\nONE = 1\nkeras.optimizers.SGD(learning_rate=ONE)",
                    "ONE",
                ),
            ],
            &[(
                "import keras\nkeras.optimizers.SGD(1)",
                "import keras\nkeras.optimizers.SGD(1.0)",
            )],
        );
    }
}
