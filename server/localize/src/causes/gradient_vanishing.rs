//! # gradient-vanishing (DL714)
//!
//! ## What it does
//! Reports sigmoid or tanh hidden layers through which the gradient all but vanishes, when the network does not learn.
//!
//! ## Why it matters
//! The derivative of sigmoid is at most 0.25, and less away from 0. Layer by layer the gradient shrinks by that factor, until
//! the first layers get none and stay at their random start.
//!
//! ## Example
//! ```python
//! for _ in range(6):
//!     model.add(Dense(32, activation="sigmoid"))
//! ```
//!
//! ## Use instead
//! ```python
//! for _ in range(6):
//!     model.add(Dense(32, activation="relu"))
//! ```
//!
//! ## Fix safety
//! Unsafe: another network is trained.
//!
//! ## References
//! AUTOTRAINER (ICSE 2021): norm at the first layer below 1e-3 of the last one's and below 1e-4 (here per weight, so that
//! layer sizes do not matter).

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{LayerInfo, Stat, Tensor};

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;
use crate::trend::median;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL714",
    name: "gradient-vanishing",
    kind: Kind::HiddenActivation,
    severity: Severity::Warning,
    source: include_str!("gradient_vanishing.rs"),
};
/// First layer's gradient over the last one's.
const RATIO: f64 = 1e-3;
/// The same when all samples get one prediction, so that nothing of the input reaches the output either.
const RATIO_CONSTANT: f64 = 1e-2;
/// Gradient per weight of the first layer.
const SMALL: f64 = 1e-4;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if !case.fails() {
        return Vec::new();
    }
    let squashing = |layer: &&LayerInfo| matches!(layer.activation.as_deref(), Some("sigmoid" | "tanh" | "softsign" | "hard_sigmoid"));
    let Some(culprit) = case.hidden_activations().find(squashing) else { return Vec::new() };
    let (Some(first), Some(last)) = (case.weighted().next(), case.weighted().last()) else { return Vec::new() };
    let (near, far) = (gradient(case, first.index), gradient(case, last.index));
    let ratio = if case.learning().constant { RATIO_CONSTANT } else { RATIO };
    if !(near > 0.0 && near < ratio * far && near < SMALL) || case.hidden_activations().filter(squashing).count() < 2 {
        return Vec::new();
    }
    let activation = culprit.activation.as_deref().unwrap_or("activation");
    let message = format!(
        "the gradient shrinks by a factor of {} on its way back through the {activation} layers, so {} cannot learn; use relu in \
         the hidden layers",
        number(far / near),
        first.name
    );
    let cause = Cause::new(&INFO, Place::Activation(culprit.index), 0.75, message)
        .layer(culprit.index)
        .seen(Phase::Backward, format!("gradient per weight: {} in {}, {} in {}", number(near), first.name, number(far), last.name))
        .seen(Phase::Metric, suspects::stuck_text(case))
        .remedy(Remedy::Argument { title: "Use relu".into(), keyword: "activation", text: "\"relu\"".into() });
    vec![cause]
}

/// Root mean square gradient of a layer's kernel, median over the steps.
fn gradient(case: &Case<'_>, layer: usize) -> f64 {
    case.fit.series(layer, Tensor::Dw).map_or(f64::NAN, |series| {
        median(series.stat(Stat::L2).iter().zip(series.stat(Stat::Count)).map(|(norm, count)| norm / count.sqrt()))
    })
}
