//! # penalty-too-strong (DL734)
//!
//! ## What it does
//! Reports a weight penalty that outweighs the loss, so that the weights vanish instead of learning.
//!
//! ## Why it matters
//! The optimizer minimises loss plus penalty. When the penalty of the weights is larger than anything the labels could
//! gain, the best weights are 0 and the prediction is a constant.
//!
//! ## Example
//! ```python
//! Dense(32, kernel_regularizer=regularizers.l2(5.0))
//! ```
//!
//! ## Use instead
//! ```python
//! Dense(32, kernel_regularizer=regularizers.l2(1e-4))
//! ```
//!
//! ## Fix safety
//! Unsafe: another network is trained.
//!
//! ## References
//! Weight decay in the taxonomy of Humbatova et al. (ICSE 2020). Here: a penalty of 0.01 or more, the network fails, and
//! the kernel has lost 80 % of its length (weights that learn grow; our healthy trainings with penalties keep more than
//! half).

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{Stat, Tensor};

use super::{Cause, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL734",
    name: "penalty-too-strong",
    kind: Kind::Regularisation,
    severity: Severity::Warning,
    source: include_str!("penalty_too_strong.rs"),
};
/// Factor from which a penalty is strong.
const STRONG: f64 = 0.01;
/// Part of the kernel's length that is left.
const LEFT: f64 = 0.2;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if !case.fails() && !case.lags() {
        return Vec::new();
    }
    for layer in case.weighted() {
        let factor = ["kernel_regularizer.l2", "kernel_regularizer.l1", "kernel_regularizer.factor"]
            .iter()
            .filter_map(|name| Case::config(layer, name))
            .fold(0.0, f64::max);
        let Some(series) = case.fit.series(layer.index, Tensor::W).filter(|_| factor >= STRONG) else { continue };
        let (Some(first), Some(last)) = (series.first(Stat::L2), series.last(Stat::L2)) else { continue };
        let shrunk = last < LEFT * first;
        if !shrunk {
            continue;
        }
        let message = format!(
            "a penalty of {} on the weights of {} outweighs the loss: they shrink to {} of their length and the network predicts \
             a constant; use 1e-4 or so",
            number(factor),
            layer.name,
            number(last / first)
        );
        return vec![
            Cause::new(&INFO, Place::LayerArgument(layer.index, "kernel_regularizer"), 0.9, message)
                .layer(layer.index)
                .seen(Phase::Update, format!("length of the kernel of {}: {} → {}", layer.name, number(first), number(last)))
                .seen(Phase::Metric, suspects::stuck_text(case)),
        ];
    }
    Vec::new()
}
