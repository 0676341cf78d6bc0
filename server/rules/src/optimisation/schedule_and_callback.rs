//! # schedule-and-callback (DL311)
//!
//! ## What it does
//! Finds optimizers whose learning rate is a schedule, trained with a callback that sets the learning rate
//! (`ReduceLROnPlateau`, `LearningRateScheduler`).
//!
//! ## Why it matters
//! Both want to set the same number. `LearningRateScheduler` raises `TypeError: … its learning rate is not settable` in
//! the first epoch, `ReduceLROnPlateau` when the first plateau comes, perhaps hours into the training.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! rate = keras.optimizers.schedules.ExponentialDecay(0.01, 1000, 0.9)
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse")
//! model.fit(x, y, validation_split=0.2, callbacks=[keras.callbacks.ReduceLROnPlateau()])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse")
//! model.fit(x, y, validation_split=0.2, callbacks=[keras.callbacks.ReduceLROnPlateau()])
//! ```
//!
//! ## Fix safety
//! No fix: either of the two can go.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL311",
    name: "schedule-and-callback",
    kind: Kind::LearningRate,
    severity: Severity::Error,
    source: include_str!("schedule_and_callback.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    let mut findings = Vec::new();
    for training in &context.trainings {
        let optimizer = training
            .compile
            .and_then(|compile| compile.argument("optimizer"))
            .map(|optimizer| &optimizer.value.value);
        let Some(Value::Call(optimizer)) = optimizer else {
            continue;
        };
        let rate = program
            .call(*optimizer)
            .argument("learning_rate")
            .map(|rate| &rate.value.value);
        let Some(Value::Call(rate)) = rate else { continue };
        if !program
            .call(*rate)
            .callee
            .starts_with("keras.optimizers.schedules.")
        {
            continue;
        }
        for callback in training.callbacks(program) {
            let class = callback.class();
            if !matches!(class, "ReduceLROnPlateau" | "LearningRateScheduler") {
                continue;
            }
            let message = format!(
                "the optimizer's learning rate is a schedule, which nobody else can set, so `{class}` raises an exception \
                 when it tries; keep the schedule or the callback, not both"
            );
            findings.push(Finding {
                confidence: 0.93,
                ..context.finding(&INFO, callback.callee_range, message)
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fitted;

    #[test]
    fn tables() {
        let pass = [fitted("x, y, validation_split=0.2, callbacks=[ReduceLROnPlateau()]"), "import keras\nrate = keras.optimizers.schedules.CosineDecay(0.01, 1000)\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(keras.optimizers.SGD(rate), 'mse')\nm.fit(x, y, validation_split=0.2, callbacks=[keras.callbacks.EarlyStopping()])".to_owned()];
        let fail = [("import keras\nrate = keras.optimizers.schedules.CosineDecay(0.01, 1000)\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(keras.optimizers.SGD(rate), 'mse')\nm.fit(x, y, callbacks=[keras.callbacks.LearningRateScheduler(f)])".to_owned(), "keras.callbacks.LearningRateScheduler")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
