//! # batch-of-one-normalised (DL739)
//!
//! ## What it does
//! Reports batches of one sample in a network that normalises flat features over the batch.
//!
//! ## Why it matters
//! BatchNormalization subtracts the mean of the batch. Of a single sample that is the sample itself: every unit becomes 0,
//! whatever the input was, and nothing before the layer can learn.
//!
//! ## Example
//! ```python
//! model.add(BatchNormalization())
//! model.fit(x, y, batch_size=1)
//! ```
//!
//! ## Use instead
//! ```python
//! model.fit(x, y, batch_size=32)
//! ```
//!
//! ## Fix safety
//! Unsafe: training takes other steps.
//!
//! ## References
//! Ioffe, Szegedy, "Batch Normalization" (2015): statistics over the batch. Here: every probed batch holds one sample and the
//! normalised tensor has no axis beside batch and features, and the network has not learned (around the layer, say).

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::Scalar;

use super::{Cause, Remedy};
use crate::case::Case;
use crate::learning::State;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL739",
    name: "batch-of-one-normalised",
    kind: Kind::BatchSize,
    severity: Severity::Error,
    source: include_str!("batch_of_one_normalised.rs"),
};

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let sizes = case.fit.scalar(Scalar::BatchSize);
    let known: Vec<f64> = sizes.iter().copied().filter(|size| size.is_finite()).collect();
    if known.len() < 10 || known.iter().any(|size| *size != 1.0) || case.learning().state() == State::Learned {
        return Vec::new();
    }
    let flat = |shape: &Vec<Option<i64>>| shape.len() == 2;
    let Some(layer) = case
        .weighted()
        .find(|layer| layer.class == "BatchNormalization" && layer.output_shape.as_ref().is_some_and(flat))
    else {
        return Vec::new();
    };
    let message = format!(
        "{} subtracts the mean of the batch, and with one sample in a batch that leaves 0 of every feature: nothing before it can \
         learn; use batches of 32 or so",
        layer.name
    );
    vec![
        Cause::new(&INFO, Place::FitArgument("batch_size"), 0.93, message)
            .layer(layer.index)
            .seen(Phase::Data, format!("all of {} batches looked at hold one sample", known.len()))
            .remedy(Remedy::Argument { title: "Use batches of 32".into(), keyword: "batch_size", text: "32".into() })
            .settled(),
    ]
}
