//! # schedule-ends-early (DL351)
//!
//! ## What it does
//! Finds learning rate schedules that have run down before the first epochs are over: `decay_steps` is a number of
//! batches, and it is far below the number of batches of an epoch.
//!
//! ## Why it matters
//! A schedule counts updates of the weights, one per batch. Written as if it counted epochs, it takes the rate to nothing
//! within the first of them, and the rest of the training changes nothing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! rate = keras.optimizers.schedules.ExponentialDecay(0.001, decay_steps=1, decay_rate=0.85)
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
//! model.fit(x[:3200], y[:3200], epochs=12)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! rate = keras.optimizers.schedules.ExponentialDecay(0.001, decay_steps=100, decay_rate=0.85)
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer=keras.optimizers.Adam(rate), loss="mse")
//! model.fit(x[:3200], y[:3200], epochs=12)
//! ```
//!
//! ## Fix safety
//! No fix: how fast the rate is to fall is not known.
//!
//! ## References
//! - `keras.optimizers.schedules.ExponentialDecay`: `initial_learning_rate * decay_rate ** (step / decay_steps)`

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Call, Value};

use crate::context::{Context, Given, given, number};
use crate::read::{Sets, first_samples, is_unconditional};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL351",
    name: "schedule-ends-early",
    kind: Kind::LearningRate,
    severity: Severity::Warning,
    source: include_str!("schedule_ends_early.rs"),
};

/// With less than this part of the initial rate, nothing is learned any more.
const GONE: f64 = 1e-3;

/// A training on a handful of samples has one batch per epoch; with at least so many epochs, this many updates are few.
const FEW_UPDATES: f64 = 100.0;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if !context.text.contains("decay_steps") && !context.text.contains("schedules") {
        return Vec::new();
    }
    context
        .sets()
        .iter()
        .filter_map(|sets| ends_early(context, sets))
        .collect()
}

fn ends_early(context: &Context<'_>, sets: &Sets<'_>) -> Option<Finding> {
    let program = context.program;
    let fit = sets.training.call;
    let record = program
        .fits
        .iter()
        .find(|record| std::ptr::eq(program.call(record.call), fit))?;
    let Value::Call(optimizer) = program.call(record.compile?).argument("optimizer")?.value.value else {
        return None;
    };
    let Value::Call(schedule) = program.call(optimizer).argument("learning_rate")?.value.value else {
        return None;
    };
    let schedule = program.call(schedule);
    let decay_steps = schedule.argument("decay_steps")?;
    let updates = updates(schedule, number(&decay_steps.value.value)?)?;
    let whole = |name, default: f64| match given(fit, name) {
        Given::Value(value) => number(&value.value),
        Given::Absent => Some(default),
        Given::Unknown => None,
    };
    let epochs = whole("epochs", 1.0)?;
    if epochs < 2.0 || !is_unconditional(context.text, fit.range.start) {
        return None;
    }
    let steps = match given(fit, "steps_per_epoch") {
        Given::Value(steps) => number(&steps.value),
        Given::Absent => sets
            .training
            .x
            .as_ref()
            .and_then(|x| first_samples(context.tree()?, x))
            .zip(whole("batch_size", 32.0))
            .map(|(samples, batch)| (samples / batch).ceil()),
        Given::Unknown => None,
    };
    let shown = updates.ceil();
    let advice = "`decay_steps` counts batches, not epochs: multiply it by the number of batches of an epoch";
    let (message, severity, confidence) = match steps {
        Some(steps) if updates < steps => (
            format!(
                "after {shown} batches hardly anything is left of the learning rate, and an epoch has {steps}: within the first of {epochs} \
                 epochs the network stops learning; {advice}"
            ),
            INFO.severity,
            0.9,
        ),
        // As many updates as there are epochs, or hardly more: one batch per epoch, if this is right.
        None if updates <= epochs.max(FEW_UPDATES) && updates <= epochs * 8.0 => (
            format!(
                "after {shown} batches hardly anything is left of the learning rate, and the training has {epochs} epochs; {advice}"
            ),
            Severity::Information,
            0.6,
        ),
        _ => return None,
    };
    Some(Finding {
        severity,
        confidence,
        ..context.finding(&INFO, decay_steps.range, message)
    })
}

/// The number of updates after which a schedule leaves hardly anything of the rate; `None` where it always leaves some, or
/// where that is not known.
fn updates(schedule: &Call, decay_steps: f64) -> Option<f64> {
    let share = |name, default: f64| match given(schedule, name) {
        Given::Value(value) => number(&value.value),
        Given::Absent => Some(default),
        Given::Unknown => None,
    };
    if decay_steps < 1.0 {
        return None;
    }
    match schedule.callee.strip_prefix("keras.optimizers.schedules.")? {
        "ExponentialDecay" => {
            let rate = number(&schedule.argument("decay_rate")?.value.value)?;
            (rate > 0.0 && rate < 1.0).then(|| decay_steps * GONE.ln() / rate.ln())
        }
        "CosineDecay" => {
            let warm = share("warmup_steps", 0.0)? > 0.0;
            (!warm && share("alpha", 0.0)? < GONE).then_some(decay_steps)
        }
        "PolynomialDecay" => {
            let initial = number(&schedule.argument("initial_learning_rate")?.value.value)?;
            let cycles = !matches!(given(schedule, "cycle"), Given::Absent);
            (!cycles && share("end_learning_rate", 1e-4)? < initial * GONE).then_some(decay_steps)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(schedule: &str, fit: &str) -> String {
        format!(
            "import keras\nfrom keras.optimizers import schedules\nN = 3200\nE = 12\ns = schedules.{schedule}\n\
             m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\n\
             m.compile(keras.optimizers.Adam(learning_rate=s), 'mse')\n{fit}\n"
        )
    }

    #[test]
    fn tables() {
        let known = "m.fit(x[:N], y[:N], epochs=E)";
        let pass = [
            script("ExponentialDecay(0.001, decay_steps=100, decay_rate=0.85)", known),
            script(
                "ExponentialDecay(0.001, decay_steps=steps, decay_rate=0.85)",
                known,
            ),
            script("ExponentialDecay(0.001, decay_steps=1000, decay_rate=0.5)", known),
            script("ExponentialDecay(0.001, decay_steps=1, decay_rate=0.9999)", known),
            script("CosineDecay(0.001, decay_steps=1200)", known),
            script("CosineDecay(0.001, decay_steps=100)", "m.fit(x[:N], y[:N])"),
            script("CosineDecay(0.001, decay_steps=12, alpha=0.1)", known),
            script("CosineDecay(0.001, decay_steps=1000)", "m.fit(x, y, epochs=12)"),
            script(
                "ExponentialDecay(0.1, decay_steps=10, decay_rate=0.9)",
                "m.fit(x[:4], y[:4], epochs=600)",
            ),
        ];
        let fail = [
            (
                script("ExponentialDecay(0.001, decay_steps=1, decay_rate=0.85)", known),
                "decay_steps=1",
            ),
            (
                script("CosineDecay(0.001, decay_steps=E)", known),
                "decay_steps=E",
            ),
            (
                script("ExponentialDecay(0.001, 1, 0.9)", "m.fit(x, y, epochs=20)"),
                "1",
            ),
            (
                script("CosineDecay(0.001, decay_steps=E)", "m.fit(x, y, epochs=E)"),
                "decay_steps=E",
            ),
            (
                script(
                    "PolynomialDecay(0.1, 10, 0.0)",
                    "m.fit(x, y, epochs=5, steps_per_epoch=50)",
                ),
                "10",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
