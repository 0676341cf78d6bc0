//! # softmax-in-hidden-layer-fails (DL744)
//!
//! ## What it does
//! Reports softmax in a hidden layer of a network that fails.
//!
//! ## Why it matters
//! Softmax makes the units of a layer compete for a sum of 1: of 64 units each puts out about 1/64, nearly the same for
//! every sample, and the layers after it get hardly any difference to work with, nor the ones before it any gradient.
//!
//! ## Example
//! ```python
//! Dense(64, activation="softmax"), Dense(10, activation="softmax")
//! ```
//!
//! ## Use instead
//! ```python
//! Dense(64, activation="relu"), Dense(10, activation="softmax")
//! ```
//!
//! ## Fix safety
//! Unsafe: another network is trained.
//!
//! ## References
//! DL Contract (FSE 2023) and NeuraLint (TOSEM 2022), activations of hidden layers. Only together with a failure;
//! attention and gates, which multiply by a softmax, are left out.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{LayerInfo, Stat, Tensor};

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL744",
    name: "softmax-in-hidden-layer-fails",
    kind: Kind::HiddenActivation,
    severity: Severity::Warning,
    source: include_str!("softmax_hidden.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    const GATES: [&str; 4] = ["Multiply", "Dot", "MultiHeadAttention", "Attention"];
    if !case.fails() || case.layers().iter().any(|layer| GATES.contains(&layer.class.as_str())) {
        return Vec::new();
    }
    let softmax = |layer: &&LayerInfo| layer.activation.as_deref() == Some("softmax");
    let Some(layer) = case.hidden_activations().find(softmax) else { return Vec::new() };
    let spread = case.fit.series(layer.index, Tensor::V2).and_then(|series| series.first(Stat::Spread)).unwrap_or(f64::NAN);
    let message = format!(
        "softmax makes the units of {} compete for a sum of 1, so they differ by {} from sample to sample and hardly anything of \
         the input gets through; use relu in hidden layers",
        layer.name,
        number(spread)
    );
    vec![
        Cause::new(&INFO, Place::Activation(layer.index), 0.84, message)
            .layer(layer.index)
            .seen(Phase::Metric, suspects::stuck_text(case))
            .remedy(Remedy::Argument { title: "Use relu".into(), keyword: "activation", text: "\"relu\"".into() }),
    ]
}
