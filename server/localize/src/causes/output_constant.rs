//! # output-constant (DL705)
//!
//! ## What it does
//! Reports a softmax over a single unit, seen to put out 1.0 for every sample.
//!
//! ## Why it matters
//! Softmax divides each unit by the sum over the units; over one unit that is always 1. The prediction does not depend on
//! the input, whatever the weights are. (Keras on TensorFlow computes cross-entropy from the value before the softmax, so
//! the loss may fall all the same; the predictions never change.)
//!
//! ## Example
//! ```python
//! model.add(Dense(1, activation="softmax"))
//! model.compile(loss="binary_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dense(1, activation="sigmoid"))
//! model.compile(loss="binary_crossentropy")
//! ```
//!
//! ## Fix safety
//! Safe: the output has never carried information.
//!
//! ## References
//! NeuraLint (TOSEM 2022), softmax on one unit; DL101 finds the same in the text alone.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{Stat, Tensor};

use super::{Cause, Remedy};
use crate::case::Case;
use crate::learning::Task;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL705",
    name: "output-constant",
    kind: Kind::OutputActivation,
    severity: Severity::Error,
    source: include_str!("output_constant.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(head) = case.head() else { return Vec::new() };
    if head.activation.as_deref() != Some("softmax") || case.output_units() != Some(1) {
        return Vec::new();
    }
    let Some(series) = case.fit.series(head.index, Tensor::V2) else { return Vec::new() };
    let ones = series.stat(Stat::Min).iter().zip(series.stat(Stat::Max)).all(|(min, max)| *min == 1.0 && *max == 1.0);
    if !ones || series.history().is_empty() {
        return Vec::new();
    }
    let (activation, word) = match case.learning().task {
        Task::Regression => ("\"linear\"", "a linear"),
        _ => ("\"sigmoid\"", "a sigmoid"),
    };
    let message = format!(
        "softmax over one unit is always 1.0, so the prediction never depends on the input; use {word} output here"
    );
    vec![
        Cause::new(&INFO, Place::Activation(head.index), 0.98, message)
            .layer(head.index)
            .seen(
                Phase::Forward,
                format!("output of {} is 1.0 for every sample at every one of {} steps", head.name, series.history().len()),
            )
            .remedy(Remedy::Argument { title: format!("Use {word} output"), keyword: "activation", text: activation.into() })
            .settled(),
    ]
}
