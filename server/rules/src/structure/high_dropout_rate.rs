//! # high-dropout-rate (DL604)
//!
//! ## What it does
//! Finds dropout rates above 0.5.
//!
//! ## Why it matters
//! More than half of the units are missing in every step, so the layer in front of them has to be large and training
//! takes long. Some published networks do it; more often 0.8 was meant as the share to keep.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dropout(0.8)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! layer = layers.Dropout(0.2)
//! ```
//!
//! ## Fix safety
//! Unsafe: the other reading of the number is put in.
//!
//! ## References
//! - Schoop, Huang, Hartmann: UMLAUT, CHI 2021 (dropout above 0.5)
//! - Srivastava et al.: Dropout, JMLR 2014

use crate::context::{Context, number};
use crate::read::is_dropout;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL604",
    name: "high-dropout-rate",
    kind: Kind::Regularisation,
    severity: Severity::Hint,
    source: include_str!("high_dropout_rate.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in context.program.calls.iter().filter(|call| is_dropout(call)) {
        let Some(argument) = call.argument("rate") else {
            continue;
        };
        let Some(rate) = number(&argument.value.value).filter(|rate| *rate > 0.5 && *rate < 1.0) else {
            continue;
        };
        let kept = (1.0 - rate) * 100.0;
        let message = format!(
            "this drops more than half of the units, only {kept:.0} % are left in each step; the rate is the share to drop, not \
             the share to keep"
        );
        let fix = context.fix(
            "Keep as many as are dropped now",
            Applicability::Unsafe,
            argument.value.origin,
            format!("{:.2}", 1.0 - rate).trim_end_matches('0').to_owned(),
        );
        findings.push(Finding {
            confidence: 0.4,
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
        let pass = [
            layers("L.Dropout(0.5), L.Dense(1)"),
            layers("L.Dropout(p), L.Dense(1)"),
        ];
        let fail = [(layers("L.Dropout(0.8), L.Dense(1)"), "0.8")];
        let fix = [(
            layers("L.Dropout(0.75), L.Dense(1)"),
            layers("L.Dropout(0.25), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
