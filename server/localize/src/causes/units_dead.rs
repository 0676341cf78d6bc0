//! # units-dead (DL716)
//!
//! ## What it does
//! Reports a ReLU layer whose units put out 0 for every sample, so that no gradient passes and training has stopped.
//!
//! ## Why it matters
//! A ReLU unit that is below zero for all samples has gradient 0: no later step can change it. When a whole layer is there,
//! everything before it has stopped learning for good.
//!
//! ## Example
//! ```python
//! model.add(Dense(10, activation="relu"))        # as the output of a classifier
//! model.compile(loss="categorical_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dense(10, activation="softmax"))
//! model.compile(loss="categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! Unsafe: another network is trained.
//!
//! ## References
//! AUTOTRAINER (ICSE 2021), dying ReLU; DeepDiagnosis (dead node, from 70 % of the outputs on: alarms on healthy models, since
//! half of the outputs of any ReLU layer are 0). Here: every unit, every sample, and no gradient left in the network.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::suspects::{self, Failure};
use super::{Cause, Remedy};
use crate::case::Case;
use crate::learning::Task;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL716",
    name: "units-dead",
    kind: Kind::HiddenActivation,
    severity: Severity::Error,
    source: include_str!("units_dead.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if suspects::failure(case) != Some(Failure::Stops) {
        return Vec::new();
    }
    let Some(layer) = case.layers().iter().find(|layer| case.flat_since(layer.index).is_some()) else { return Vec::new() };
    let Some(moment) = case.flat_since(layer.index) else { return Vec::new() };
    let output = case.head().is_some_and(|head| head.index == layer.index);
    let start = if suspects::flat_from_start(case, layer.index) { "from the first step on" } else { "from then on" };
    let replacement = match (output, case.learning().task) {
        (true, Task::MultiClass) => "softmax",
        (true, Task::Binary | Task::MultiLabel) => "sigmoid",
        (true, _) => "linear",
        (false, _) => "leaky_relu",
    };
    let message = format!(
        "{} puts out 0 for every sample {start}, so no gradient passes it and nothing before it can learn; use {replacement} here",
        layer.name
    );
    let mut cause = Cause::new(&INFO, Place::Activation(layer.index), 0.8, message)
        .layer(layer.index)
        .seen_at(moment, Phase::Forward, Some(layer.index), format!("every unit of {} is 0 for every sample", layer.name))
        .remedy(Remedy::Argument {
            title: format!("Use {replacement}"),
            keyword: "activation",
            text: format!("\"{replacement}\""),
        })
        .settled();
    if output {
        cause.kind = Kind::OutputActivation;
    }
    vec![cause]
}
