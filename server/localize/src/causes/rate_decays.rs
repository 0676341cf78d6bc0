//! # learning-rate-decays-at-once (DL728)
//!
//! ## What it does
//! Reports a schedule that takes the learning rate to nothing while the network has not learned.
//!
//! ## Why it matters
//! Schedules count steps, not epochs. One that halves the rate every step has used up all of it within a dozen batches,
//! and the rest of the training moves nothing.
//!
//! ## Example
//! ```python
//! ExponentialDecay(0.001, decay_steps=1, decay_rate=0.5)
//! ```
//!
//! ## Use instead
//! ```python
//! ExponentialDecay(0.001, decay_steps=1000, decay_rate=0.5)
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! SageMaker Debugger (update ratio below 1e-8 is a dead optimizer). Here: below a hundredth of the first rate before
//! half of the training, and the training fails; or below a ten-thousandth before a quarter of it, with less than nine
//! tenths of the way to perfection.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::Scalar;

use super::{Cause, suspects};
use crate::case::Case;
use crate::learning::State;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL728",
    name: "learning-rate-decays-at-once",
    kind: Kind::LearningRate,
    severity: Severity::Warning,
    source: include_str!("rate_decays.rs"),
};
/// Part of the first rate.
const GONE: f64 = 0.01;
/// Part of the first rate that moves nothing any more, so that the training is over whatever it has learned before.
const OVER: f64 = 1e-4;
/// Skill that a training ended that way may have and be no loss.
const GOOD: f64 = 0.9;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let failing = case.fails() || (case.complete && case.learning().state() == State::Improving && case.learning().behind());
    let rates = case.fit.scalar(Scalar::LearningRate);
    let moments = case.fit.scalars().moments();
    let Some(first) = rates.iter().copied().find(|rate| rate.is_finite() && *rate > 0.0) else { return Vec::new() };
    let Some(gone) = rates.iter().position(|rate| *rate < GONE * first) else { return Vec::new() };
    // How long the training is meant to be, where that is known.
    let planned = case.fit.info.epochs.zip(case.fit.info.steps_per_epoch).map_or(0, |(epochs, steps)| epochs * steps);
    let total = case.fit.steps.max(planned);
    let over = rates.iter().position(|rate| *rate < OVER * first).is_some_and(|row| moments[row].step * 4 <= total);
    let poor = case.learning().skill.is_some_and(|skill| skill < GOOD) && case.learning().probed >= 20;
    if !(failing && moments[gone].step * 2 <= case.fit.steps || over && poor) {
        return Vec::new();
    }
    let message = format!(
        "the learning rate falls from {} to under a hundredth of it within {} of {} steps, and the rest of the training moves \
         nothing; let it decay over the whole training (schedules count steps, not epochs)",
        number(first),
        moments[gone].step + 1,
        total
    );
    vec![
        Cause::new(&INFO, Place::LearningRate, 0.92, message)
            .seen_at(moments[gone], Phase::Update, None, format!("learning rate {}", number(rates[gone])))
            .seen(Phase::Metric, suspects::stuck_text(case)),
    ]
}
