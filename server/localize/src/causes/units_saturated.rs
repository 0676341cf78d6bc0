//! # units-saturated (DL715)
//!
//! ## What it does
//! Reports a hidden sigmoid or tanh layer that starts in the flat part of its activation although its inputs are of normal
//! size, when the network does not learn.
//!
//! ## Why it matters
//! Where |input| is 5 or more, the derivative of sigmoid and tanh is below 1 %: hardly any gradient passes, so the weights
//! that pushed the units there cannot be pulled back.
//!
//! ## Example
//! ```python
//! model.add(Dense(64, activation="tanh", kernel_initializer=RandomNormal(stddev=5.0)))
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dense(64, activation="tanh"))
//! ```
//!
//! ## Fix safety
//! Unsafe: training starts from other weights.
//!
//! ## References
//! DeepDiagnosis (ICSE 2022), saturated activation: share of inputs beyond ±5 above 0.5.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{Stat, Tensor};

use super::suspects::{self, Failure};
use super::{Cause, Remedy};
use crate::case::Case;
use crate::place::Place;
use crate::text::{number, percent};

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL715",
    name: "units-saturated",
    kind: Kind::WeightInit,
    severity: Severity::Warning,
    source: include_str!("units_saturated.rs"),
};
/// Share of values in the flat part that makes a layer saturated.
const SATURATED: f64 = 0.5;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(failure @ (Failure::Stuck | Failure::Stops | Failure::Lags)) = suspects::failure(case) else { return Vec::new() };
    if suspects::weigh(case, failure).features >= 0.3 {
        return Vec::new();
    }
    let Some(layer) = case.hidden_activations().find(|layer| suspects::saturated_at_start(case, layer.index) > SATURATED) else {
        return Vec::new();
    };
    // The weights may belong to the layer before, when the activation is a layer of its own.
    let Some(weights) = case.weighted().filter(|weighted| weighted.index <= layer.index).last() else { return Vec::new() };
    let std = case.fit.series(weights.index, Tensor::W).and_then(|series| series.first(Stat::Std)).unwrap_or(f64::NAN);
    let activation = layer.activation.as_deref().unwrap_or("activation");
    let share = suspects::saturated_at_start(case, layer.index);
    let message = format!(
        "{} of the values in {} start in the flat part of {activation}, where hardly any gradient passes: the initial weights \
         (standard deviation {}) are too large; leave the initializer at its default",
        percent(share),
        layer.name,
        number(std)
    );
    let cause = Cause::new(&INFO, Place::LayerArgument(weights.index, "kernel_initializer"), 0.75, message)
        .layer(weights.index)
        .remedy(Remedy::Argument {
            title: "Use Glorot uniform".into(),
            keyword: "kernel_initializer",
            text: "\"glorot_uniform\"".into(),
        });
    vec![suspects::with_failure(case, failure, cause).seen(Phase::Forward, format!("saturated share of {}: {}", layer.name, percent(share)))]
}
