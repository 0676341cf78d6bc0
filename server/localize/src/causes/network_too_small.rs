//! # network-without-hidden-layer (DL740)
//!
//! ## What it does
//! Reports a network without a hidden layer that fails on data which a non-linear model can tell apart.
//!
//! ## Why it matters
//! One layer draws straight borders. Classes that lie around or across each other (XOR, rings) need a hidden layer with a
//! non-linear activation.
//!
//! ## Example
//! ```python
//! model.add(Input((2,)))
//! model.add(Dense(1, activation="sigmoid"))
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Input((2,)))
//! model.add(Dense(16, activation="relu"))
//! model.add(Dense(1, activation="sigmoid"))
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! Minsky and Papert, Perceptrons (1969). Nearest neighbours get at least half of the way to perfection on the same data,
//! ridge regression less than half of theirs, and the network fails.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL740",
    name: "network-without-hidden-layer",
    kind: Kind::MissingLayer,
    severity: Severity::Warning,
    source: include_str!("network_too_small.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(baselines) = case.fit.info.data.baselines.as_ref().filter(|_| case.fails()) else { return Vec::new() };
    let mut weighted = case.weighted();
    let (Some(only), None) = (weighted.next(), weighted.next()) else { return Vec::new() };
    if only.class != "Dense" || !(baselines.neighbours >= 0.5 && baselines.linear < 0.5 * baselines.neighbours) {
        return Vec::new();
    }
    let message = format!(
        "{} alone draws straight borders, and these data have none (nearest neighbours get {} of the way to perfection, a linear \
         model {}); put a hidden layer with relu before it",
        only.name,
        percent(baselines.neighbours),
        percent(baselines.linear.max(0.0))
    );
    vec![Cause::new(&INFO, Place::Layer(only.index), 0.88, message).layer(only.index).seen(Phase::Metric, suspects::stuck_text(case))]
}
