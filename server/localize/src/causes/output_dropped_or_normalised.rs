//! # output-dropped-or-normalised (DL727)
//!
//! ## What it does
//! Reports dropout or batch normalisation after the last layer with weights, where it changes the predictions themselves.
//!
//! ## Why it matters
//! Dropout there sets predictions to 0 at random and scales up the rest; no weight can make up for that. Normalisation
//! forces mean 0 and deviation 1 on the predictions of every batch, whatever the labels are.
//!
//! ## Example
//! ```python
//! model.add(Dense(1))
//! model.add(Dropout(0.5))
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dropout(0.5))
//! model.add(Dense(1))
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! NeuraLint (TOSEM 2022) and the taxonomy of Humbatova et al. (ICSE 2020), redundant layers. Exact for dropout, by the
//! order of the layers; batch normalisation only when the network fails, because it is used before a softmax.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL727",
    name: "output-dropped-or-normalised",
    kind: Kind::Regularisation,
    severity: Severity::Warning,
    source: include_str!("output_dropped_or_normalised.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(last) = case.layers().last().filter(|_| case.known_loss() && case.fit.info.data.y.len() == 1) else { return Vec::new() };
    let rate = Case::config(last, "rate").unwrap_or(0.0);
    let (confidence, effect) = match last.class.as_str() {
        "Dropout" | "AlphaDropout" if rate > 0.0 => (0.88, format!("sets {} of the predictions to 0 at every step", percent(rate))),
        "BatchNormalization" if case.fails() => (0.86, "gives the predictions of every batch the same mean and deviation, whatever the labels are".to_owned()),
        _ => return Vec::new(),
    };
    let message = format!("{} comes after the last layer and {effect}; remove it, or put it before that layer", last.name);
    vec![
        Cause::new(&INFO, Place::Layer(last.index), confidence, message)
            .layer(last.index)
            .seen(Phase::Metric, suspects::stuck_text(case)),
    ]
}
