//! # growing-schedule (DL312)
//!
//! ## What it does
//! Finds schedules that make the learning rate grow: `ExponentialDecay` with a `decay_rate` above 1, `InverseTimeDecay`
//! with one below 0.
//!
//! ## Why it matters
//! The rate is multiplied by `decay_rate` over and over. Above 1 it grows without end, and the loss with it. As a
//! deliberate search for a learning rate ("LR range test") it is done with a callback.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! rate = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=1000, decay_rate=1.1)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! rate = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=1000, decay_rate=0.9)
//! ```
//!
//! ## Fix safety
//! No fix: the intended rate is not known.
//!
//! ## References
//! - `keras.optimizers.schedules.ExponentialDecay`: `initial_learning_rate * decay_rate ** (step / decay_steps)`

use crate::context::{Context, number};
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL312",
    name: "growing-schedule",
    kind: Kind::LearningRate,
    severity: Severity::Warning,
    source: include_str!("growing_schedule.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        let Some(schedule) = call.callee.strip_prefix("keras.optimizers.schedules.") else {
            continue;
        };
        let Some(argument) = call.argument("decay_rate") else {
            continue;
        };
        let Some(rate) = number(&argument.value.value) else {
            continue;
        };
        let grows = match schedule {
            "ExponentialDecay" => rate > 1.0,
            "InverseTimeDecay" => rate < 0.0,
            _ => false,
        };
        if grows {
            let message = format!(
                "with a `decay_rate` of {rate} the learning rate of `{schedule}` grows instead of falling, until the loss is \
                 NaN; a decay rate lies between 0 and 1"
            );
            findings.push(context.finding(&INFO, argument.range, message));
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
            "import keras\nkeras.optimizers.schedules.ExponentialDecay(0.01, 1000, 0.96)".to_owned(),
            "import keras\nkeras.optimizers.schedules.InverseTimeDecay(0.01, 1000, 4.0)".to_owned(),
            "import keras\nkeras.optimizers.schedules.ExponentialDecay(0.01, 1000, d)".to_owned(),
        ];
        let fail = [(
            "import keras\nkeras.optimizers.schedules.ExponentialDecay(0.01, 1000, 96)".to_owned(),
            "96",
        )];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
