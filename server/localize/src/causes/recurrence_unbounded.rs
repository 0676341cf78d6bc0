//! # recurrence-unbounded (DL732)
//!
//! ## What it does
//! Reports a recurrent layer with an unbounded activation whose state grows along the sequence, when training diverges.
//!
//! ## Why it matters
//! The state passes the same weights at every time step. With relu nothing bounds it: weights slightly too large multiply
//! it sixty times over in a sequence of sixty.
//!
//! ## Example
//! ```python
//! SimpleRNN(32, activation="relu")
//! ```
//!
//! ## Use instead
//! ```python
//! SimpleRNN(32)
//! ```
//!
//! ## Fix safety
//! Unsafe: another network is trained.
//!
//! ## References
//! Pascanu et al., "On the difficulty of training recurrent neural networks" (2013). Here: training diverges, and the
//! layer's output was above 100 before the first step, or is the first that is not finite.

use finding::{Kind, RuleInfo, Severity};
use trace::{LayerInfo, Stat, Tensor};

use super::suspects::{self, Failure};
use crate::case::Case;
use super::{Cause, Remedy};
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL732",
    name: "recurrence-unbounded",
    kind: Kind::HiddenActivation,
    severity: Severity::Error,
    source: include_str!("recurrence_unbounded.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    const RECURRENT: [&str; 3] = ["SimpleRNN", "LSTM", "GRU"];
    if suspects::failure(case) != Some(Failure::Diverges) {
        return Vec::new();
    }
    let unbounded = |layer: &&LayerInfo| {
        RECURRENT.contains(&layer.class.as_str()) && matches!(layer.activation.as_deref(), Some("relu" | "linear" | "elu" | "selu"))
    };
    let Some(layer) = case.layers().iter().find(unbounded) else { return Vec::new() };
    let start = case.fit.series(layer.index, Tensor::V2).and_then(|series| series.first(Stat::AbsMax)).unwrap_or(f64::NAN);
    let first_broken = case.broken().and_then(|broken| broken.layer) == Some(layer.index);
    if !(start > 100.0) && !first_broken {
        return Vec::new();
    }
    let activation = layer.activation.as_deref().unwrap_or("relu");
    let message = format!(
        "{activation} does not bound the state of {}, which grows along the sequence (up to {} before the first step); use its \
         default, tanh",
        layer.name,
        number(start)
    );
    let cause = Cause::new(&INFO, Place::Activation(layer.index), 0.88, message).layer(layer.index).remedy(Remedy::Argument {
        title: "Use tanh".into(),
        keyword: "activation",
        text: "\"tanh\"".into(),
    });
    vec![suspects::with_failure(case, Failure::Diverges, cause).settled()]
}
