//! # dropout-too-strong (DL733)
//!
//! ## What it does
//! Reports dropout that takes away nearly all of a layer, when the network does not learn.
//!
//! ## Why it matters
//! At a rate of 0.95 one unit in twenty passes, multiplied by twenty: what the next layer sees in training is mostly
//! noise.
//!
//! ## Example
//! ```python
//! model.add(Dropout(0.95))
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dropout(0.3))
//! ```
//!
//! ## Fix safety
//! Unsafe: another network is trained.
//!
//! ## References
//! DL Contract (FSE 2023) and UMLAUT (CHI 2021): dropout above 0.5. From 0.6 on here, and only together with a failure,
//! since strong dropout after wide layers is used with success.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::LayerInfo;

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL733",
    name: "dropout-too-strong",
    kind: Kind::Regularisation,
    severity: Severity::Warning,
    source: include_str!("dropout_too_strong.rs"),
};
/// Rate from which dropout is strong.
const STRONG: f64 = 0.6;
/// The same in a training that has got somewhere, but lags behind simple models.
const EXTREME: f64 = 0.75;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if !case.fails() && !case.lags() {
        return Vec::new();
    }
    let least = if case.fails() { STRONG } else { EXTREME };
    let rate = |layer: &LayerInfo| Case::config(layer, "rate").filter(|rate| *rate >= least);
    let strong: Vec<(&LayerInfo, f64)> =
        case.layers().iter().filter(|layer| layer.class.contains("Dropout")).filter_map(|layer| Some((layer, rate(layer)?))).collect();
    let Some((layer, rate)) = strong.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.index.cmp(&a.0.index))) else {
        return Vec::new();
    };
    let message = format!(
        "{} takes away {} of the values at every step, and the network does not learn through what is left; use 0.2 … 0.5",
        layer.name,
        percent(rate)
    );
    vec![
        Cause::new(&INFO, Place::LayerArgument(layer.index, "rate"), (0.6 + 0.3 * rate).min(0.9), message)
            .layer(layer.index)
            .seen(Phase::Metric, suspects::stuck_text(case))
            .remedy(Remedy::Argument { title: "Use a rate of 0.3".into(), keyword: "rate", text: "0.3".into() }),
    ]
}
