//! # frozen-at-random (DL746)
//!
//! ## What it does
//! Reports layers that are frozen with the weights they were made with, when the network does not get where simple models do.
//!
//! ## Why it matters
//! Freezing keeps what was learned before. Layers that have learned nothing yet stay a random map of their input, and what is put
//! on top of them has to make do with that.
//!
//! ## Example
//! ```python
//! base = MobileNetV2(weights=None, include_top=False)
//! base.trainable = False
//! ```
//!
//! ## Use instead
//! ```python
//! base = MobileNetV2(weights="imagenet", include_top=False)
//! base.trainable = False
//! ```
//!
//! ## Fix safety
//! No automatic fix: weights have to come from somewhere, or the layers have to be trained.
//!
//! ## References
//! Wrong freezing of layers in the taxonomy of Humbatova et al. (ICSE 2020). A kernel counts as never trained when it lies within the
//! bounds of Glorot's uniform initialisation with its deviation (to 5 %), and the bias is 0 throughout.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{LayerInfo, Stat, Tensor};

use super::{Cause, suspects};
use crate::case::Case;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL746",
    name: "frozen-at-random",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("frozen_at_random.rs"),
};
/// Distance of a deviation from that of the initialisation.
const TOLERANCE: f64 = 0.05;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if !case.fails() && !case.lags() {
        return Vec::new();
    }
    let frozen = |layer: &&LayerInfo| !layer.weights.is_empty() && layer.weights.iter().all(|weight| !weight.trainable);
    let held: Vec<&LayerInfo> = case.layers().iter().filter(frozen).filter(|layer| fresh(case, layer)).collect();
    let size = |layers: &mut dyn Iterator<Item = &LayerInfo>| -> i64 {
        layers.flat_map(|layer| &layer.weights).map(|weight| weight.shape.iter().product::<i64>()).sum()
    };
    let (still, free) = (size(&mut held.iter().copied()), size(&mut case.weighted()));
    let Some(first) = held.first().filter(|_| 2 * still > free) else { return Vec::new() };
    let message = message(&first.name, held.len() - 1);
    vec![
        Cause::new(&INFO, Place::Frozen, 0.86, message)
            .layer(first.index)
            .seen(Phase::Update, format!("{still} weights are held, {free} are trained"))
            .seen(Phase::Metric, suspects::stuck_text(case)),
    ]
}

fn message(first: &str, others: usize) -> String {
    match others {
        0 => format!(
            "{first} is frozen with the random weights it was made with, so it passes on a random map of the input; load trained \
             weights into it, or leave it trainable"
        ),
        _ => format!(
            "{first} and {others} more layer{} are frozen with the random weights they were made with, so they pass on a random map \
             of the input; load trained weights into them, or leave them trainable",
            if others == 1 { "" } else { "s" }
        ),
    }
}

/// Whether the weights are those of the initialisation.
fn fresh(case: &Case<'_>, layer: &LayerInfo) -> bool {
    let uniform = layer.config.get("kernel_initializer").and_then(serde_json::Value::as_str) == Some("GlorotUniform");
    let (Some(scale), Some(kernel)) = (case.initial_scale(layer), case.fit.series(layer.index, Tensor::W)) else { return false };
    let (Some(std), Some(most)) = (kernel.first(Stat::Std), kernel.first(Stat::AbsMax)) else { return false };
    let bias = case.fit.all_series().find_map(|(row, series)| {
        let named = row.weight.as_deref().is_some_and(|name| name.contains("bias"));
        (row.layer == layer.index && row.tensor == Tensor::W && named).then(|| series.first(Stat::AbsMax))?
    });
    // The largest value of a uniform distribution is its deviation times the root of 3.
    let bounded = most <= std * 3.0_f64.sqrt() * (1.0 + TOLERANCE);
    uniform && (scale - 1.0).abs() < TOLERANCE && bounded && bias.is_none_or(|bias| bias == 0.0)
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn one_layer_is_not_several() {
        assert!(message("base", 0).starts_with("base is frozen with the random weights it was"));
        assert!(message("base", 1).starts_with("base and 1 more layer are"));
        assert!(message("base", 2).starts_with("base and 2 more layers are"));
    }
}
