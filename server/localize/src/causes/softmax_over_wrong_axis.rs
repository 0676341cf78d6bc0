//! # softmax-over-wrong-axis (DL708)
//!
//! ## What it does
//! Reports an output softmax that does not normalise over its last axis, the one that holds the classes.
//!
//! ## Why it matters
//! The loss reads the last axis as the probabilities of the classes. Normalised over another axis (time, say) they do not
//! sum to 1, and raising one step's probability lowers that of the others.
//!
//! ## Example
//! ```python
//! probabilities = Softmax(axis=1)(x)     # (batch, time, classes): sums to 1 over time
//! ```
//!
//! ## Use instead
//! ```python
//! probabilities = Softmax(axis=-1)(x)
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! Of a softmax over C classes the mean output is 1/C, whatever it predicts. Off by more than 2 % (float16 stays within
//! 0.1 %) the sums are not 1.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{Stat, Tensor};

use super::Cause;
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL708",
    name: "softmax-over-wrong-axis",
    kind: Kind::OutputActivation,
    severity: Severity::Error,
    source: include_str!("softmax_over_wrong_axis.rs"),
};
/// Mean output times classes, away from 1.
const TOLERANCE: f64 = 0.02;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let (Some(head), Some(units)) = (case.head(), case.output_units()) else { return Vec::new() };
    // With one row a sample only the batch is left as another axis, which the text shows (DL610).
    let axes = case.layers().last().and_then(|layer| layer.output_shape.as_ref()).map_or(0, Vec::len);
    if head.activation.as_deref() != Some("softmax") || units < 2 || axes < 3 {
        return Vec::new();
    }
    let Some(series) = case.fit.series(head.index, Tensor::V2) else { return Vec::new() };
    let sums: Vec<f64> = series.stat(Stat::Mean).iter().map(|mean| mean * units as f64).filter(|sum| sum.is_finite()).collect();
    if sums.is_empty() || sums.iter().any(|sum| (sum - 1.0).abs() < TOLERANCE) {
        return Vec::new();
    }
    let place = if head.class == "Softmax" { Place::LayerArgument(head.index, "axis") } else { Place::Activation(head.index) };
    let message = format!(
        "the {units} outputs of {} sum to {} on average instead of 1: softmax runs over another axis than the classes; use the \
         last axis",
        head.name,
        number(sums[0])
    );
    vec![
        Cause::new(&INFO, place, 0.95, message)
            .layer(head.index)
            .seen(Phase::Forward, format!("mean output {} at the first step, 1/{units} expected", number(sums[0] / units as f64)))
            .settled(),
    ]
}
