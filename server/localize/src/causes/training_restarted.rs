//! # training-restarted-from-scratch (DL743)
//!
//! ## What it does
//! Reports a loop that trains a newly made model in every round, so that only the last round counts.
//!
//! ## Why it matters
//! Every round starts from random weights again. The loss of each begins where that of the first began, and what was
//! learned before is thrown away.
//!
//! ## Example
//! ```python
//! for epoch in range(10):
//!     model = make_model()
//!     model.fit(x, y, epochs=1)
//! ```
//!
//! ## Use instead
//! ```python
//! model = make_model()
//! for epoch in range(10):
//!     model.fit(x, y, epochs=1)
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! API misuse in the taxonomy of Humbatova et al. (ICSE 2020). At least four trainings of one epoch from one call, on the
//! same data, each starting within 10 % of the first one's loss although the one before had got lower. Cross-validation
//! trains for more than an epoch, and on other rows each time.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{Fit, Scalar};

use super::Cause;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL743",
    name: "training-restarted-from-scratch",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("training_restarted.rs"),
};
/// Trainings that make a loop.
const ROUNDS: usize = 4;

/// Over all trainings of a run; the cause, and the training it is placed in.
pub(crate) fn restarted(fits: &[Fit]) -> Option<(Cause, &Fit)> {
    let first = fits.first()?;
    let edges = |fit: &Fit| {
        let losses: Vec<f64> = fit
            .scalar(Scalar::Loss)
            .iter()
            .copied()
            .filter(|loss| loss.is_finite())
            .collect();
        Some((*losses.first()?, *losses.last()?))
    };
    let (start, _) = edges(first)?;
    let mean = |fit: &Fit| fit.info.data.x.first().map(|x| (x.mean * 1e6 / x.std).round());
    let alike = |fit: &Fit| {
        fit.info.call == "fit"
            && fit.info.epochs == Some(1)
            && fit.info.site == first.info.site
            && fit.info.samples == first.info.samples
            && mean(fit) == mean(first)
    };
    let round: Vec<&Fit> = fits.iter().filter(|fit| alike(fit)).collect();
    let again =
        |fit: &Fit| edges(fit).is_some_and(|(from, to)| (from / start - 1.0).abs() < 0.1 && to < 0.95 * from);
    if round.len() < ROUNDS || round.len() < fits.len() || !round.iter().all(|fit| again(fit)) {
        return None;
    }
    let message = format!(
        "each of the {} trainings of one epoch starts from random weights again (first loss near {} every time), so only the last \\
         counts; make the model once, before the loop",
        round.len(),
        number(start)
    );
    let cause = Cause::new(&INFO, Place::FitArgument("epochs"), 0.85, message);
    let told = round
        .iter()
        .take(4)
        .filter_map(|fit| edges(fit))
        .map(|(from, to)| format!("{} → {}", number(from), number(to)));
    let told: Vec<String> = told.collect();
    Some((
        cause.seen(Phase::Loss, format!("loss by training: {}", told.join(", "))),
        first,
    ))
}
