//! # momentum-out-of-range (DL304)
//!
//! ## What it does
//! Finds momentum outside of 0 to 1, and a momentum of exactly 1.
//!
//! ## Why it matters
//! Momentum is the share of the last step that is kept. Keras refuses values outside of 0 to 1. At 1 nothing of any
//! step is ever forgotten, so the steps add up and the loss swings more and more (a warning, as Keras accepts it).
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=9.0)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9)
//! ```
//!
//! ## Fix safety
//! Unsafe: 0.9 is the usual value.
//!
//! ## References
//! - Measured on Keras 3.15.1: "`momentum` must be a float between [0, 1]."

use crate::context::{Context, number};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL304",
    name: "momentum-out-of-range",
    kind: Kind::Optimizer,
    severity: Severity::Error,
    source: include_str!("momentum_out_of_range.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if !matches!(
            call.callee.as_str(),
            "keras.optimizers.SGD" | "keras.optimizers.RMSprop"
        ) {
            continue;
        }
        let Some(argument) = call.argument("momentum") else {
            continue;
        };
        let Some(momentum) = number(&argument.value.value).filter(|momentum| !(0.0..1.0).contains(momentum))
        else {
            continue;
        };
        let never_forgets = momentum == 1.0;
        // RMSprop takes anything; what it does with it is no better.
        let message = if never_forgets {
            "with a momentum of 1 no step is ever forgotten: they add up, and the loss swings more and more; use 0.9".to_owned()
        } else {
            format!(
                "momentum is the share of the last step that is kept, so {momentum} makes no sense: it must be at \
                     least 0 and below 1; 0.9 is usual"
            )
        };
        let fix = context.fix("Use 0.9", Applicability::Unsafe, argument.value.origin, "0.9");
        findings.push(Finding {
            severity: if never_forgets {
                Severity::Warning
            } else {
                Severity::Error
            },
            confidence: 0.93,
            fixes: vec![fix],
            ..context.finding(&INFO, argument.value.range, message)
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
            "import keras\nkeras.optimizers.SGD(0.1, momentum=0.99)".to_owned(),
            "import keras\nkeras.optimizers.SGD(0.1, momentum=0)".to_owned(),
            "import keras\nkeras.optimizers.SGD(0.1, momentum=m)".to_owned(),
            "import keras\nkeras.layers.BatchNormalization(momentum=1.5)".to_owned(),
        ];
        let fail = [
            (
                "import keras\nkeras.optimizers.SGD(0.1, momentum=1.5)".to_owned(),
                "1.5",
            ),
            ("import keras\nkeras.optimizers.SGD(0.1, 1.0)".to_owned(), "1.0"),
            (
                "import keras\nkeras.optimizers.RMSprop(0.01, momentum=-0.9)".to_owned(),
                "-0.9",
            ),
        ];
        let fix = [(
            "import keras\nkeras.optimizers.SGD(0.1, momentum=9)".to_owned(),
            "import keras\nkeras.optimizers.SGD(0.1, momentum=0.9)".to_owned(),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
