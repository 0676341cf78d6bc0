//! # bottleneck (DL735)
//!
//! ## What it does
//! Reports a hidden layer so narrow that the answer does not fit through it, when the network stays far behind a simple
//! model.
//!
//! ## Why it matters
//! All that later layers know passes the narrowest one. One number cannot carry which of ten classes it is, and a ReLU
//! unit may be 0 for half of the samples.
//!
//! ## Example
//! ```python
//! Dense(64, activation="relu"), Dense(1, activation="relu"), Dense(10, activation="softmax")
//! ```
//!
//! ## Use instead
//! ```python
//! Dense(64, activation="relu"), Dense(32, activation="relu"), Dense(10, activation="softmax")
//! ```
//!
//! ## Fix safety
//! No automatic fix: how wide is a decision.
//!
//! ## References
//! An autoencoder is judged by the share of the input that it gives back, since no simple model can be beside it.
//! Suboptimal number of neurons in the taxonomy of Humbatova et al. (ICSE 2020). One or two units (or filters) between
//! wider layers, and a failure.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::LayerInfo;

use super::{Cause, suspects};
use crate::case::Case;
use crate::data;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL735",
    name: "bottleneck",
    kind: Kind::LayerSize,
    severity: Severity::Warning,
    source: include_str!("bottleneck.rs"),
};
/// Units up to which a layer is narrow.
const NARROW: i64 = 2;
/// Explained variance below which an autoencoder does not give back its input.
const HALF: f64 = 0.5;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let (x, y) = (case.fit.info.data.x.first(), case.fit.y());
    let gives_back = x.zip(y).is_some_and(|(x, y)| x.shape == y.shape && x.mean == y.mean && x.std == y.std);
    let poorly = gives_back && case.complete && !case.drawn && case.learning().skill.is_some_and(|skill| skill < HALF);
    if !case.fails() && !case.lags() && !poorly {
        return Vec::new();
    }
    // With several outputs it is not known which layer leads to which.
    if case.fit.info.data.y.len() > 1 {
        return Vec::new();
    }
    // What only normalises or reshapes the answer does not make one.
    let kernel = |layer: &&LayerInfo| layer.weights.iter().any(|weight| weight.shape.len() > 1);
    let Some(last) = case.weighted().filter(kernel).last().map(|layer| layer.index) else { return Vec::new() };
    let units = |layer: &LayerInfo| layer.output_shape.as_ref()?.last().copied().flatten();
    let inputs = case.fit.info.data.x.iter().map(data::columns).max().unwrap_or(0);
    let outputs = case.output_units().unwrap_or(1);
    let narrow = |layer: &&LayerInfo| {
        layer.index != last
            && matches!(layer.class.as_str(), "Dense" | "Conv1D" | "Conv2D" | "LSTM" | "GRU" | "SimpleRNN")
            && units(layer).is_some_and(|units| units <= NARROW && inputs > units && (outputs > units || units == 1))
    };
    let Some(layer) = case.weighted().find(narrow) else { return Vec::new() };
    let count = units(layer).unwrap_or(1);
    let argument = if layer.class.starts_with("Conv") { "filters" } else { "units" };
    let message = format!(
        "everything has to pass the {count} {argument} of {}, and {outputs} outputs cannot be told from that; make it wider",
        layer.name
    );
    vec![
        Cause::new(&INFO, Place::LayerArgument(layer.index, argument), 0.86, message)
            .layer(layer.index)
            .seen(Phase::Metric, suspects::stuck_text(case)),
    ]
}
