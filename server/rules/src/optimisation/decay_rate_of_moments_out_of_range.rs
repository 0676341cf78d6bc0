//! # decay-rate-of-moments-out-of-range (DL305)
//!
//! ## What it does
//! Finds `beta_1`, `beta_2` and `rho` of an optimizer outside of 0 to 1; 1 itself counts as outside.
//!
//! ## Why it matters
//! They say how much of the running averages of the gradient is kept. At 1, Adam divides by zero in its first step
//! (`loss: nan`) or never sees a gradient; above 1 the averages grow without bound; below 0 they change sign.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.Adam(beta_1=1.0)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.Adam(beta_1=0.9)
//! ```
//!
//! ## Fix safety
//! Unsafe: Keras' default is put in.
//!
//! ## References
//! - Measured on Keras 3.15.1: `beta_1=1.0` gives NaN in the first epoch, `rho=1.5` too
//! - Kingma, Ba: Adam, ICLR 2015 (betas in [0, 1))

use crate::context::{Context, number};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL305",
    name: "decay-rate-of-moments-out-of-range",
    kind: Kind::Optimizer,
    severity: Severity::Error,
    source: include_str!("decay_rate_of_moments_out_of_range.rs"),
};

/// Arguments with their defaults.
const SHARES: [(&str, &str); 3] = [("beta_1", "0.9"), ("beta_2", "0.999"), ("rho", "0.9")];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let optimizers = context
        .program
        .calls
        .iter()
        .filter(|call| call.callee.starts_with("keras.optimizers."));
    for call in optimizers {
        for (name, default) in SHARES {
            let Some(argument) = call.argument(name) else {
                continue;
            };
            let Some(share) = number(&argument.value.value).filter(|share| !(0.0..1.0).contains(share))
            else {
                continue;
            };
            let message = format!(
                "`{name}` is the share of a running average that is kept, so it must be at least 0 and below 1; with \
                 {share} the steps become NaN or meaningless. {default} is usual"
            );
            let fix = context.fix(
                format!("Use {default}"),
                Applicability::Unsafe,
                argument.value.origin,
                default,
            );
            findings.push(Finding {
                confidence: 0.95,
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
            "import keras\nkeras.optimizers.Adam(beta_1=0.5, beta_2=0.999)".to_owned(),
            "import keras\nkeras.optimizers.Adam(beta_1=b)".to_owned(),
            "import keras\nkeras.optimizers.RMSprop(rho=0)".to_owned(),
        ];
        let fail = [
            ("import keras\nkeras.optimizers.Adam(beta_1=1)".to_owned(), "1"),
            (
                "import keras\nkeras.optimizers.Adam(0.001, 0.9, 99.9)".to_owned(),
                "99.9",
            ),
            (
                "import keras\nkeras.optimizers.RMSprop(rho=1.5)".to_owned(),
                "1.5",
            ),
        ];
        let fix = [(
            "import keras\nkeras.optimizers.Adam(beta_2=1.0)".to_owned(),
            "import keras\nkeras.optimizers.Adam(beta_2=0.999)".to_owned(),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
