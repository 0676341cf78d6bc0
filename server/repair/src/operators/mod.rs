//! The changes that are tried: one file each, one line here.
//!
//! An operator proposes what a training, as far as it was seen, makes plausible; whether it helps is found by trying.

use finding::{Applicability, Edit, Kind, Range};

use crate::candidate::{Aspect, Part};
use crate::facts::Facts;

mod batch_normalization;
mod batch_size;
mod class_weights;
mod divide_pixels;
mod dropout;
mod epochs;
mod flatten;
mod from_logits;
mod hidden_activation;
mod initializer;
mod label_encoding;
mod learning_rate;
mod normalization_layer;
mod optimizer;
mod optimizer_settings;
mod output_head;
mod regularizer;
mod shuffle;
mod standardise_features;
mod standardise_targets;
mod unfreeze;
mod units;

type Propose = fn(&Facts<'_>) -> Vec<Part>;

const OPERATORS: &[Propose] = &[
    output_head::propose,
    divide_pixels::propose,
    standardise_features::propose,
    standardise_targets::propose,
    learning_rate::propose,
    optimizer::propose,
    optimizer_settings::propose,
    hidden_activation::propose,
    initializer::propose,
    dropout::propose,
    batch_size::propose,
    epochs::propose,
    batch_normalization::propose,
    class_weights::propose,
    flatten::propose,
    from_logits::propose,
    label_encoding::propose,
    normalization_layer::propose,
    regularizer::propose,
    shuffle::propose,
    units::propose,
    unfreeze::propose,
];

/// Everything that may mend this training, the most plausible first.
pub fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let mut parts: Vec<Part> = OPERATORS.iter().flat_map(|propose| propose(facts)).collect();
    parts.sort_by(|a, b| b.prior.total_cmp(&a.prior));
    parts
}

/// A change that a person should look at before it is applied.
fn part(
    title: impl Into<String>,
    kind: Kind,
    path: &std::path::Path,
    place: Range,
    edits: Vec<Edit>,
    prior: f64,
) -> Part {
    Part {
        title: title.into(),
        kind,
        aspect: Aspect::of(kind),
        path: path.to_owned(),
        place,
        edits,
        applicability: Applicability::Unsafe,
        prior,
    }
}
