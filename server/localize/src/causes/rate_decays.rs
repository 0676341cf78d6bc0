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
//! half of the training, and the training fails; or below a ten-thousandth before a quarter of it, and simple models do clearly
//! better on the same data.

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

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let learning = case.learning();
    let judged = case.complete && !case.drawn;
    let failing = case.fails() || (judged && learning.state() == State::Improving && learning.behind());
    let rates = case.fit.scalar(Scalar::LearningRate);
    let moments = case.fit.scalars().moments();
    let Some(first) = rates.iter().copied().find(|rate| rate.is_finite() && *rate > 0.0) else { return Vec::new() };
    let below = |part: f64| rates.iter().position(|rate| *rate < part * first);
    // How long the training is meant to be, where that is known.
    let planned = case.fit.info.epochs.zip(case.fit.info.steps_per_epoch).map_or(0, |(epochs, steps)| epochs.saturating_mul(steps));
    let total = case.fit.steps.max(planned);
    let gone = below(GONE).filter(|row| failing && moments[*row].step.saturating_mul(2) <= case.fit.steps);
    // What was learned before may do; where simple models do better, the steps that are missing would have helped.
    let poor = judged && learning.lagging() && learning.probed >= 20;
    let over = below(OVER).filter(|row| poor && moments[*row].step.saturating_mul(4) <= total);
    let Some((gone, part)) = gone.map(|row| (row, "a hundredth")).or(over.map(|row| (row, "a ten-thousandth"))) else {
        return Vec::new();
    };
    let message = format!(
        "the learning rate falls from {} to under {part} of it within {} of {} steps, and the rest of the training moves \
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
