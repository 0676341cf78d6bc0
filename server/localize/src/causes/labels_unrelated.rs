//! # labels-unrelated-to-features (DL741)
//!
//! ## What it does
//! Reports labels that neither the network nor simple models can relate to the features.
//!
//! ## Why it matters
//! Rows that were shuffled, filtered or sorted on one side only no longer belong together: every sample has the label of
//! another one. The network learns a constant, or the training samples by heart.
//!
//! ## Example
//! ```python
//! rng.shuffle(x)                     # y stays as it was
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! order = rng.permutation(len(x))
//! model.fit(x[order], y[order])
//! ```
//!
//! ## Fix safety
//! No automatic fix: the order cannot be restored from the data.
//!
//! ## References
//! Label noise and mismatch in defect4ML and the taxonomy of Humbatova et al. (ICSE 2020). Nearest neighbours and ridge
//! regression both under a tenth of the way to perfection on at least 200 samples of balanced classes or numbers, and the
//! network fails or does not generalise at all. Sequences and text are left out: their neighbours tell little.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, suspects};
use crate::case::Case;
use crate::learning::Task;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL741",
    name: "labels-unrelated-to-features",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("labels_unrelated.rs"),
};
/// Steps of a network that was given a chance.
const STEPS: u64 = 150;
/// Standard deviations from the mean to the largest label, beyond which a few rows decide how much of the variance is
/// explained: counts of rare events, prices. Normal labels reach 4 to 5 in 10,000 rows.
const TAIL: f64 = 6.0;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(baselines) = &case.fit.info.data.baselines else { return Vec::new() };
    let learning = case.learning();
    const SEQUENTIAL: [&str; 6] = ["Embedding", "LSTM", "GRU", "SimpleRNN", "Conv1D", "MultiHeadAttention"];
    let sequential = case.layers().iter().any(|layer| SEQUENTIAL.contains(&layer.class.as_str()));
    let known = baselines.neighbours.max(baselines.linear);
    let by_heart = !learning.by_chance() && learning.validated.is_some_and(|validated| validated < 0.05);
    let balanced = learning.majority.is_none_or(|majority| majority < 0.7);
    let unknown = known < 0.1;
    let rare = case.fit.y().is_some_and(|y| {
        learning.task == Task::Regression && (y.max - y.mean).max(y.mean - y.min) > TAIL * y.std
    });
    // A network that was hardly trained is no witness.
    let tried = !case.drawn && (case.steps >= STEPS || by_heart);
    if sequential || !balanced || rare || baselines.samples < 200 || !unknown || !tried || !(case.fails() || (case.complete && by_heart)) {
        return Vec::new();
    }
    let message = "nothing relates these labels to these features: nearest neighbours, a linear model and the network all do no \
                   better on new samples than a constant; check that both are in the same order (shuffled, sorted, filtered together)";
    vec![
        Cause::new(&INFO, Place::RowOrder, 0.6, message)
            .seen(Phase::Data, format!("nearest neighbours {}, linear model {}", share(baselines.neighbours), share(baselines.linear)))
            .seen(Phase::Metric, suspects::stuck_text(case)),
    ]
}

fn share(skill: f64) -> String {
    format!("{} of the way to perfection", percent(skill.max(0.0)))
}
