//! # output-out-of-reach (DL704)
//!
//! ## What it does
//! Reports an output activation whose range does not reach the labels: sigmoid (0 … 1), tanh (−1 … 1) or ReLU (from 0) in
//! front of a regression loss on labels that lie beyond it.
//!
//! ## Why it matters
//! The prediction stops at the edge of the activation's range, where its gradient vanishes too. The loss settles at the
//! distance between that edge and the labels.
//!
//! ## Example
//! ```python
//! y = np.array([120.0, 80.0, 310.0])
//! model.add(Dense(1, activation="sigmoid"))
//! model.compile(loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! y = np.array([120.0, 80.0, 310.0])
//! model.add(Dense(1))
//! model.compile(loss="mse")
//! ```
//!
//! ## Fix safety
//! Unsafe: the output is no longer bounded.
//!
//! ## References
//! DeepDiagnosis (ICSE 2022), "out of range" (there with a factor of 10; here the labels must lie beyond the range by more
//! than a tenth, and typically so: mean ± one standard deviation); DL Contract (FSE 2023), output table.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{Scalar, Stat, Tensor};

use super::{Cause, Remedy, labels_broadcast};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;
use crate::trend::median;

/// Losses that compare output and label element by element.
const ELEMENTWISE: [&str; 6] = [
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "log_cosh",
];

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL704",
    name: "output-out-of-reach",
    kind: Kind::OutputActivation,
    severity: Severity::Error,
    source: include_str!("output_out_of_reach.rs"),
};
/// Values an activation can take.
fn reach(activation: &str) -> Option<(f64, f64)> {
    Some(match activation {
        "sigmoid" | "hard_sigmoid" | "softmax" => (0.0, 1.0),
        "tanh" | "softsign" | "hard_tanh" => (-1.0, 1.0),
        "relu" | "softplus" | "exponential" => (0.0, f64::INFINITY),
        "relu6" => (0.0, 6.0),
        "elu" => (-1.0, f64::INFINITY),
        "selu" => (-1.76, f64::INFINITY),
        _ => return None,
    })
}

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let (Some(y), Some(head)) = (case.fit.y(), case.head()) else { return Vec::new() };
    let Some(activation) = head.activation.as_deref() else { return Vec::new() };
    let Some((low, high)) = reach(activation) else { return Vec::new() };
    // A softmax over one unit reaches one value only, which is another fault (DL705).
    let constant = activation == "softmax" && case.output_units() == Some(1);
    // Numbers of classes are no values to reach (DL707).
    let classes = labels_broadcast::classes_against_softmax(case).is_some();
    if constant || classes || !ELEMENTWISE.contains(&case.loss_name()) {
        return Vec::new();
    }
    let above = y.max > high + 0.1 && y.mean + y.std > high;
    let below = y.min < low - 0.1 && y.mean - y.std < low;
    if !above && !below {
        return Vec::new();
    }
    let range = if high.is_infinite() {
        format!("never below {}", number(low))
    } else {
        format!("between {} and {}", number(low), number(high))
    };
    let message = format!(
        "{activation} keeps the output {range}, but the labels go from {} to {} (mean {}): they cannot be reached; use a linear \
         output{}",
        number(y.min),
        number(y.max),
        number(y.mean),
        if high.is_finite() { ", or scale the labels into that range" } else { "" },
    );
    let mut cause = Cause::new(&INFO, Place::Activation(head.index), 0.93, message)
        .layer(head.index)
        .seen(Phase::Data, format!("labels {} … {}", number(y.min), number(y.max)))
        .remedy(Remedy::Argument {
            title: "Use a linear output".into(),
            keyword: "activation",
            text: "\"linear\"".into(),
        })
        .settled();
    if let Some(series) = case.fit.series(head.index, Tensor::V2) {
        let least = series.stat(Stat::Min).iter().copied().fold(f64::INFINITY, f64::min);
        let most = series.stat(Stat::Max).iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let loss = median(case.fit.scalar(Scalar::Loss).iter().copied());
        cause = cause.seen(
            Phase::Forward,
            format!("outputs stay within {} … {}; the loss stays near {}", number(least), number(most), number(loss)),
        );
    }
    vec![cause]
}
