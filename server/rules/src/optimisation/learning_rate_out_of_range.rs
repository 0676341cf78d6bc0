//! # learning-rate-out-of-range (DL301)
//!
//! ## What it does
//! Finds learning rates with which hardly any network trains.
//!
//! ## Why it matters
//! The learning rate is the length of every step the optimizer takes. At zero nothing is learned, below zero the loss
//! is driven up. Far too large a rate jumps over every minimum: the loss swings, or ends in NaN within a few batches.
//! Far too small a rate changes the weights by less than their rounding.
//!
//! Reported: 0 and below for every optimizer (error); below 1e-7 for every optimizer; above 1 for `SGD`, `Adagrad`,
//! `Adadelta`, `Ftrl` and `Adafactor`; 0.1 and above for `Adam` and the other optimizers that normalise each weight's
//! step, whose rate *is* the change of a weight per step (weights are of order 0.1 at the start); information at 0.1
//! itself. The published checks (UMLAUT 1e-7 to 0.01, DL Contract 7e-7 to 0.01, Theia 1e-4 to 0.01) are narrower and
//! reject settings that work, such as `SGD(0.1)` on image classifiers. Silent where a schedule, a scheduling callback or
//! the script itself sets the rate.
//!
//! ## Example
//! ```python
//! import keras
//! optimizer = keras.optimizers.SGD(learning_rate=3.0)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! optimizer = keras.optimizers.SGD(learning_rate=0.1)
//! ```
//!
//! ## Fix safety
//! Unsafe: the default of the optimizer is put in, which is a good start but not the best rate for every network.
//!
//! ## References
//! - Wardat, Le, Rajan: DeepLocalize, ICSE 2021, programs 48385830 and 48934338
//! - Schoop, Huang, Hartmann: UMLAUT, CHI 2021

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Call, CallId, Value};

use crate::context::{Context, number};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL301",
    name: "learning-rate-out-of-range",
    kind: Kind::LearningRate,
    severity: Severity::Warning,
    source: include_str!("learning_rate_out_of_range.rs"),
};

/// Below this, a step is lost in the rounding of float32 weights.
const SMALLEST: f64 = 1e-7;

/// What is usual for an optimizer.
struct Usual {
    /// The largest rate that is not reported.
    largest: f64,
    /// Keras' default.
    default: &'static str,
}

fn usual(optimizer: &str) -> Option<Usual> {
    let (largest, default) = match optimizer {
        "SGD" => (1.0, "0.01"),
        "Adagrad" | "Adadelta" | "Ftrl" | "Adafactor" => (1.0, "0.001"),
        "Adam" | "AdamW" | "Adamax" | "Nadam" | "RMSprop" | "Lamb" => (0.1_f64.next_down(), "0.001"),
        "Lion" => (0.1_f64.next_down(), "0.0001"),
        _ => return None,
    };
    Some(Usual { largest, default })
}

/// Signs that something else sets the rate during training.
const SET_ELSEWHERE: [&str; 7] = [
    "LearningRateScheduler",
    "optimizer.lr",
    "optimizer.learning_rate",
    "CyclicLR",
    "OneCycle",
    "LRFinder",
    "WarmUp",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if SET_ELSEWHERE.iter().any(|sign| context.text.contains(sign)) {
        return Vec::new();
    }
    // Steps on something other than weights (an image, say) have other sizes.
    let other_variables = context.program.gradient_tape && !context.text.contains("trainable_");
    context
        .program
        .calls
        .iter()
        .enumerate()
        .filter(|(number, _)| !other_variables || is_compiled(context, *number))
        .filter_map(|(number, call)| {
            let finding = of_call(context, call)?;
            // A rate of 0 may be there for a part that is to rest.
            let rests = number_of(call) == Some(0.0) && !is_compiled(context, number);
            let severity = if rests {
                Severity::Information
            } else {
                finding.severity
            };
            Some(Finding { severity, ..finding })
        })
        .collect()
}

/// Whether a model is compiled with the call of that number as its optimizer.
fn is_compiled(context: &Context<'_>, number: usize) -> bool {
    context.program.compiles.iter().any(|compile| {
        context
            .program
            .call(compile.call)
            .argument("optimizer")
            .is_some_and(|argument| argument.value.value == Value::Call(CallId(number)))
    })
}

fn number_of(call: &Call) -> Option<f64> {
    let argument = call.argument("learning_rate").or_else(|| call.argument("lr"))?;
    number(&argument.value.value)
}

fn of_call(context: &Context<'_>, call: &Call) -> Option<Finding> {
    let name = call.callee.strip_prefix("keras.optimizers.")?;
    let optimizer = name.strip_prefix("legacy.").unwrap_or(name);
    let usual = usual(optimizer)?;
    let argument = call.argument("learning_rate").or_else(|| call.argument("lr"))?;
    let rate = number(&argument.value.value)?;
    let default = usual.default;
    let (severity, confidence, message) = if rate < 0.0 {
        (
            Severity::Error,
            0.97,
            format!(
                "a learning rate of {rate} makes every step go uphill, so the loss grows; start from {default}"
            ),
        )
    } else if rate == 0.0 {
        (
            Severity::Error,
            0.95,
            format!(
                "with a learning rate of 0 the weights never change, so nothing is learned; start from {default}"
            ),
        )
    } else if rate < SMALLEST {
        (
            Severity::Warning,
            0.85,
            format!(
                "with a learning rate of {rate:e} the weights change by less than they are rounded, so the network \
                 hardly learns; start from {default}"
            ),
        )
    } else if rate > usual.largest {
        (
            // At the very limit, small networks still train.
            if rate > 1.01 * usual.largest {
                Severity::Warning
            } else {
                Severity::Information
            },
            if rate > 10.0 * usual.largest { 0.92 } else { 0.75 },
            format!(
                "a learning rate of {rate} is so large for {optimizer} that the steps usually jump over every minimum and \
                 the loss swings or becomes NaN; start from {default}"
            ),
        )
    } else {
        return None;
    };
    let fix = context.fix(
        format!("Use {optimizer}'s default, {default}"),
        Applicability::Unsafe,
        argument.value.origin,
        default,
    );
    Some(Finding {
        severity,
        confidence,
        fixes: vec![fix],
        ..context.finding(&INFO, argument.value.range, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERAS: &str = "from keras.optimizers import SGD, Adam, Adadelta, RMSprop\n";

    fn with(rest: &str) -> String {
        format!("{KERAS}{rest}")
    }

    #[test]
    fn tables() {
        let pass: Vec<String> = [
            "SGD(0.1)",
            "SGD(1.0)",
            "SGD(learning_rate=1e-6)",
            "Adam(0.01)",
            "Adam(1e-4)",
            "RMSprop(0.05)",
            "Adadelta(1.0)",
            "SGD(learning_rate=rate)",
            "SGD(learning_rate=schedule(3.0))",
            "SGD(0.0)\ncallbacks = [LearningRateScheduler(step)]",
            "SGD(**options)",
            "if big:\n    rate = 3.0\nelse:\n    rate = 0.1\nSGD(rate)",
        ]
        .iter()
        .map(|rest| with(rest))
        .collect();
        let fail: Vec<(String, &str)> = [
            ("SGD(learning_rate=3.0)", "3.0"),
            ("SGD(3.0, momentum=0.9)", "3.0"),
            ("RATE = 10 ** 1 * 1.5\nSGD(RATE)", "RATE"),
            ("Adam(0.1)", "0.1"),
            ("Adam(learning_rate=-0.001)", "-0.001"),
            ("Adam(0.0)", "0.0"),
            ("Adam(1e-9)", "1e-9"),
        ]
        .iter()
        .map(|(rest, underlined)| (with(rest), *underlined))
        .collect();
        crate::testing::check(
            &INFO,
            &pass,
            &fail,
            &[(
                with("RATE = 3.0\nSGD(learning_rate=RATE)"),
                with("RATE = 0.01\nSGD(learning_rate=RATE)"),
            )],
        );
    }
}
