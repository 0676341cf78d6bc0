//! # initialisation-out-of-scale (DL730)
//!
//! ## What it does
//! Reports initial weights far larger or smaller than the number of inputs asks for, when training starts from an absurd
//! loss, or fails.
//!
//! ## Why it matters
//! Each layer multiplies the size of what passes by its weights. Several layers of weights ten times too large make
//! outputs (and a first loss) in the thousands and saturate sigmoid and tanh; ten times too small, and neither values nor
//! gradients reach the other end.
//!
//! ## Example
//! ```python
//! Dense(64, activation="tanh", kernel_initializer=RandomNormal(stddev=0.001))
//! ```
//!
//! ## Use instead
//! ```python
//! Dense(64, activation="tanh")
//! ```
//!
//! ## Fix safety
//! Unsafe: training starts from other weights.
//!
//! ## References
//! TheDeepChecker (TOSEM 2023), initial variance against Glorot and He; SageMaker Debugger, variance ratio above 10. Here
//! the standard deviation of a kernel against Glorot's, outside 0.1 … 4 (variance 0.01 … 16; He's is at most 1.4, Keras'
//! RandomNormal default 0.2 … 1), and only together with a failure, or with a first loss ten times that of a constant
//! answer.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{LayerInfo, Scalar};

use super::suspects::Failure;
use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::learning::State;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL730",
    name: "initialisation-out-of-scale",
    kind: Kind::WeightInit,
    severity: Severity::Warning,
    source: include_str!("initialisation_scale.rs"),
};
const SMALL: f64 = 0.1;
const LARGE: f64 = 4.0;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let learning = case.learning();
    let failure = suspects::failure(case);
    let saturated = case
        .hidden_activations()
        .any(|layer| suspects::saturated_at_start(case, layer.index) > 0.5);
    let absurd = learning
        .constant_loss
        .zip(case.fit.scalar(Scalar::Loss).first().copied())
        .is_some_and(|(constant, first)| first > 10.0 * constant && suspects::features_in_scale(case));
    // Saturation with a failure has a cause of its own (DL715).
    if (failure.is_none() && !absurd) || (failure.is_some() && saturated) {
        return Vec::new();
    }
    let off: Vec<(&LayerInfo, f64)> = case
        .weighted()
        .filter_map(|layer| Some((layer, case.initial_scale(layer)?)))
        .filter(|(_, scale)| !(SMALL..=LARGE).contains(scale) && *scale > 0.0)
        .collect();
    let Some((layer, scale)) = off.first().copied() else { return Vec::new() };
    // Small weights make a start slow, which the training may well have got over.
    if failure == Some(Failure::Lags) && scale > SMALL / 10.0 && scale <= LARGE {
        return Vec::new();
    }
    // What is further off is to be mended first.
    if failure.is_some_and(|failure| suspects::weigh(case, failure).features > scale.log10().abs()) {
        return Vec::new();
    }
    // Small weights only slow the first steps down.
    if scale < SMALL && failure.is_none() {
        return Vec::new();
    }
    let what = if scale > LARGE { "too large" } else { "too small" };
    let effect = match (scale > LARGE, absurd) {
        (true, true) => "the first loss is far above that of a constant answer",
        (true, false) => "the values it makes are out of the range in which the layers after it work",
        _ => "hardly anything passes, forward or backward",
    };
    let message = format!(
        "the weights of {} start {} times as large as its size asks for, {what}: {effect}; leave the initializer at its default",
        layer.name,
        number(scale)
    );
    let mut cause = Cause::new(&INFO, Place::LayerArgument(layer.index, "kernel_initializer"), 0.86, message)
        .layer(layer.index)
        .remedy(Remedy::Argument {
            title: "Use Glorot uniform".into(),
            keyword: "kernel_initializer",
            text: "\"glorot_uniform\"".into(),
        });
    for (layer, scale) in off.iter().take(4) {
        cause = cause.seen(
            Phase::Forward,
            format!("initial standard deviation of {}: {} times Glorot's", layer.name, number(*scale)),
        );
    }
    vec![match failure {
        Some(failure) => suspects::with_failure(case, failure, cause),
        None => {
            let cause = cause.seen(Phase::Loss, format!("loss {}", case.loss_story()));
            // It cost the first steps, and the network got over it.
            if learning.state() == State::Learned { cause.severity(Severity::Information) } else { cause }
        }
    }]
}
