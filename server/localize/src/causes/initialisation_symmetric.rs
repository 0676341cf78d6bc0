//! # initialisation-symmetric (DL706)
//!
//! ## What it does
//! Reports a hidden layer whose kernel starts with one value everywhere (`zeros`, `ones`, a constant), and a layer of the
//! script's own whose matrix does and never changes.
//!
//! ## Why it matters
//! All units of the layer compute the same and receive the same gradient, so they stay copies of one unit for ever: a layer
//! of 64 units learns what one unit can. With zeros, no gradient passes to the layers before it either.
//!
//! ## Example
//! ```python
//! model.add(Dense(64, activation="relu", kernel_initializer="zeros"))
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dense(64, activation="relu"))
//! ```
//!
//! ## Fix safety
//! Unsafe: training starts from other weights.
//!
//! ## References
//! NeuraLint (TOSEM 2022), constant weight initialisation.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{LayerInfo, Series, Stat, Tensor};

use super::{Cause, Remedy};
use crate::case::Case;
use crate::learning::State;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL706",
    name: "initialisation-symmetric",
    kind: Kind::WeightInit,
    severity: Severity::Warning,
    source: include_str!("initialisation_symmetric.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if case.learning().state() == State::Learned {
        return Vec::new();
    }
    // An output layer that starts at 0 is a known and harmless choice.
    let Some(last) = case.weighted().last().map(|layer| layer.index) else { return Vec::new() };
    let mut causes = Vec::new();
    for layer in case.weighted().filter(|layer| layer.index != last) {
        // A class that Keras does not have may name its weights as it likes.
        let own = program::parameters(&format!("keras.layers.{}", layer.class)).is_none();
        let kernel = layer.weights.first().filter(|weight| weight.shape.len() >= 2 && (own || weight.name == "kernel"));
        if kernel.and_then(|weight| weight.shape.last()).is_none_or(|units| *units < 2) {
            continue;
        }
        let Some(series) = case.fit.series(layer.index, Tensor::W) else { continue };
        let (Some(least), Some(most)) = (series.first(Stat::Min), series.first(Stat::Max)) else { continue };
        if least != most || series.history().moments()[0].step != 0 {
            continue;
        }
        if own {
            // A branch that starts at nothing moves; what other weights beside it do is not known.
            let stays = series.last(Stat::Min) == Some(least) && series.last(Stat::Max) == Some(least);
            let mut matrices = layer.weights.iter().filter(|weight| weight.shape.len() >= 2);
            if stays && matrices.next().is_some_and(|weight| weight.trainable) && matrices.next().is_none() {
                causes.push(own_layer(layer, least, series));
            }
            continue;
        }
        let message = format!(
            "every weight of {} starts at {}, so its units are copies of each other and stay so; leave the initializer at its \
             default (Glorot uniform)",
            layer.name,
            number(least)
        );
        causes.push(
            Cause::new(&INFO, Place::LayerArgument(layer.index, "kernel_initializer"), 0.9, message)
                .layer(layer.index)
                .seen_at(
                    series.history().moments()[0],
                    Phase::Forward,
                    Some(layer.index),
                    format!("kernel of {} is {} everywhere", layer.name, number(least)),
                )
                .remedy(Remedy::Argument {
                    title: "Use Glorot uniform".into(),
                    keyword: "kernel_initializer",
                    text: "\"glorot_uniform\"".into(),
                }),
        );
    }
    causes
}

/// The cause in a layer of the script's own.
fn own_layer(layer: &LayerInfo, value: f64, series: &Series) -> Cause {
    let message = format!(
        "every number in the matrix of {} starts at {} and is the same still at the end: its units are copies of each other, and with \
         zeros no gradient passes. Start it from small random numbers (`initializer=\"glorot_uniform\"`)",
        layer.name,
        number(value)
    );
    Cause::new(&INFO, Place::OwnMatrix(layer.index), 0.9, message)
        .layer(layer.index)
        .seen_at(
            series.history().moments()[0],
            Phase::Forward,
            Some(layer.index),
            format!("the matrix of {} is {} everywhere", layer.name, number(value)),
        )
}
