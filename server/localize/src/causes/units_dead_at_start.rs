//! # units-dead-at-start (DL731)
//!
//! ## What it does
//! Reports a ReLU layer that puts out 0 for every sample before the first step.
//!
//! ## Why it matters
//! Without an output there is no gradient, so no step can revive it. A large negative initial bias, or negative weights
//! on positive features, do that.
//!
//! ## Example
//! ```python
//! Dense(32, activation="relu", bias_initializer=Constant(-10.0))
//! ```
//!
//! ## Use instead
//! ```python
//! Dense(32, activation="relu")
//! ```
//!
//! ## Fix safety
//! Unsafe: training starts from other weights.
//!
//! ## References
//! AUTOTRAINER (ICSE 2021) and TheDeepChecker (TOSEM 2023), dead units. Here: 99 % of the units, every sample, from step
//! 0 on, with inputs that vary.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{DataInfo, Stat, Tensor};

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL731",
    name: "units-dead-at-start",
    kind: Kind::WeightInit,
    severity: Severity::Error,
    source: include_str!("units_dead_at_start.rs"),
};
/// Typical |mean| / std of features from which the sign of a unit hardly depends on the sample.
const ONE_SIDED: f64 = 2.0;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if suspects::failure(case).is_none() {
        return Vec::new();
    }
    let head = case.head().map(|layer| layer.index);
    let Some(layer) = case.hidden_activations().find(|layer| suspects::flat_from_start(case, layer.index) && Some(layer.index) != head)
    else {
        return Vec::new();
    };
    let Some(weights) = case.weighted().filter(|weighted| weighted.index <= layer.index).last() else { return Vec::new() };
    // What it is fed with is the fault of whoever feeds it.
    if let Some(before) = layer.inputs.first().and_then(|index| case.fit.series(*index, Tensor::V2)).and_then(|v| v.first(Stat::Spread))
        && before == 0.0
    {
        return Vec::new();
    }
    let bias = case.fit.all_series().find_map(|(row, series)| {
        let named = row.weight.as_deref().is_some_and(|name| name.contains("bias"));
        (row.layer == weights.index && row.tensor == Tensor::W && named).then(|| series.first(Stat::Mean))?
    });
    let positive = |x: &DataInfo| x.min >= 0.0 && x.offset_ratio > ONE_SIDED;
    let first = case.weighted().next().is_some_and(|first| first.index == weights.index);
    if first && bias.is_none_or(|bias| bias == 0.0) && case.fit.info.data.x.iter().all(positive) {
        let message = format!(
            "all features are positive and far from 0 (a typical mean is {} standard deviations), so a unit of {} is on or off for all \
             samples alike, and here all are off before the first step; standardise the features",
            number(case.fit.info.data.x[0].offset_ratio),
            layer.name
        );
        let cause = Cause::new(&INFO, Place::Features, 0.88, message).kind(Kind::InputScale).layer(layer.index);
        return vec![cause.remedy(Remedy::Standardise { title: "Standardise the features".into() }).settled()];
    }
    let (argument, why) = match bias {
        Some(bias) if bias < 0.0 => ("bias_initializer", format!("its biases start at {}", number(bias))),
        _ => ("kernel_initializer", "its weights start so that every input is negative".to_owned()),
    };
    let Some(moment) = case.flat_since(layer.index) else { return Vec::new() };
    let message = format!(
        "{} puts out 0 for every sample before the first step ({why}), so no gradient passes it and it stays so; leave the \
         initializer at its default",
        layer.name
    );
    vec![
        Cause::new(&INFO, Place::LayerArgument(weights.index, argument), 0.88, message)
            .layer(weights.index)
            .seen_at(moment, Phase::Forward, Some(layer.index), format!("every unit of {} is 0 for every sample", layer.name))
            .settled(),
    ]
}
