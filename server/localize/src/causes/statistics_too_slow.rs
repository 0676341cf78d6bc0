//! # statistics-too-slow (DL748)
//!
//! ## What it does
//! Reports a BatchNormalization whose `momentum` is so high that its moving statistics are still near their start when
//! training ends, when the network answers much worse in validation than in training.
//!
//! ## Why it matters
//! In training the layer normalises with the statistics of the batch, in `evaluate` and `predict` with moving averages
//! that start at mean 0 and variance 1. With `momentum=0.99999` they have come 0.6 % of the way after 600 steps, so that
//! the network sees other numbers there than those it learned with.
//!
//! ## Example
//! ```python
//! BatchNormalization(momentum=0.99999)
//! ```
//!
//! ## Use instead
//! ```python
//! BatchNormalization(momentum=0.9)
//! ```
//!
//! ## Fix safety
//! Unsafe: 0.9 makes the statistics follow the last tens of batches.
//!
//! ## References
//! Ioffe and Szegedy, ICML 2015, section 3.1 (inference with moving averages). Keras' default is 0.99; only what lies above
//! it is blamed, and only when more than half of the start is left.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, Remedy};
use crate::case::Case;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL748",
    name: "statistics-too-slow",
    kind: Kind::Regularisation,
    severity: Severity::Warning,
    source: include_str!("statistics_too_slow.rs"),
};
/// Keras' own momentum.
const DEFAULT: f64 = 0.99;
/// Share of the start that is left in the statistics.
const LEFT: f64 = 0.5;
/// Skill lost between training and validation.
const GAP: f64 = 0.3;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let learning = case.learning();
    let (Some(skill), Some(best)) = (learning.skill, learning.validated_best) else { return Vec::new() };
    if !case.complete || skill - best < GAP {
        return Vec::new();
    }
    let slow = |momentum: f64| momentum > DEFAULT && momentum.powf(case.steps as f64) > LEFT;
    let layers = case.layers().iter().filter(|layer| layer.class == "BatchNormalization" && layer.trainable);
    let Some((layer, momentum)) = layers
        .filter_map(|layer| Some((layer, Case::config(layer, "momentum")?)))
        .find(|(_, momentum)| slow(*momentum))
    else {
        return Vec::new();
    };
    let message = format!(
        "with momentum {momentum} the moving statistics still are {} what they started with after {} steps, so the network sees \
         other numbers in validation than in training; use 0.9",
        percent(momentum.powf(case.steps as f64)),
        case.steps
    );
    vec![
        Cause::new(&INFO, Place::LayerArgument(layer.index, "momentum"), 0.92, message)
            .layer(layer.index)
            .remedy(Remedy::Argument {
                title: "Use momentum 0.9".to_owned(),
                keyword: "momentum",
                text: "0.9".to_owned(),
            })
            .seen(
                Phase::Metric,
                format!("of the way from a constant answer to perfection: {} in training, {} in validation", percent(skill), percent(best.max(0.0))),
            ),
    ]
}
