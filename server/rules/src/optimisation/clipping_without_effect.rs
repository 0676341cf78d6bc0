//! # clipping-without-effect (DL306)
//!
//! ## What it does
//! Finds `clipnorm`, `clipvalue` and `global_clipnorm` of zero or less.
//!
//! ## Why it matters
//! Keras clips only when the value is positive; otherwise it does nothing, without a word. The gradients that were to
//! be tamed go through as they are.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.Adam(clipnorm=0)
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
//! Unsafe: 1.0 is a usual norm, and the training changes.
//!
//! ## References
//! - `keras/src/optimizers/base_optimizer.py` of Keras 3.15.1 (`if self.clipnorm and self.clipnorm > 0`)

use crate::context::{Context, number};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL306",
    name: "clipping-without-effect",
    kind: Kind::Optimizer,
    severity: Severity::Warning,
    source: include_str!("clipping_without_effect.rs"),
};

pub(super) const CLIPS: [&str; 3] = ["clipnorm", "clipvalue", "global_clipnorm"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let optimizers = context
        .program
        .calls
        .iter()
        .filter(|call| call.callee.starts_with("keras.optimizers."));
    for call in optimizers {
        for name in CLIPS {
            let Some(argument) = call.argument(name) else {
                continue;
            };
            let Some(limit) = number(&argument.value.value).filter(|limit| *limit <= 0.0) else {
                continue;
            };
            let message = format!(
                "Keras clips gradients only when `{name}` is positive, so with {limit} nothing is clipped; give a limit such \
                 as 1.0 or leave the argument out"
            );
            let fix = context.fix("Use 1.0", Applicability::Unsafe, argument.value.origin, "1.0");
            findings.push(Finding {
                fixes: vec![fix],
                ..context.finding(&INFO, argument.value.range, message)
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
            "import keras\nkeras.optimizers.Adam(clipnorm=None)".to_owned(),
            "import keras\nkeras.optimizers.Adam(clipnorm=c)".to_owned(),
        ];
        let fail = [
            ("import keras\nkeras.optimizers.Adam(clipnorm=0)".to_owned(), "0"),
            (
                "import keras\nkeras.optimizers.SGD(clipvalue=-0.5)".to_owned(),
                "-0.5",
            ),
        ];
        let fix = [(
            "import keras\nkeras.optimizers.SGD(clipvalue=0.0)".to_owned(),
            "import keras\nkeras.optimizers.SGD(clipvalue=1.0)".to_owned(),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
