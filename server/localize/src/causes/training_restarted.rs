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
//! same data: those of the second half start no lower than those of the first (5 %), although the loss falls so much in one
//! that it should have fallen by a fifth between the halves. Cross-validation trains for more than an epoch, and on other
//! rows each time.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::{Fit, Scalar};

use super::Cause;
use crate::place::Place;
use crate::text::number;
use crate::trend::{mean, median};

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL743",
    name: "training-restarted-from-scratch",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("training_restarted.rs"),
};
/// Trainings that make a loop.
const ROUNDS: usize = 4;
/// Loss at the start of later trainings over that of earlier ones from which nothing is kept.
const AS_HIGH: f64 = 0.95;
/// What it would be below, had it been kept.
const FALLEN: f64 = 0.8;

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
        let part = losses.len().div_ceil(4);
        (!losses.is_empty()).then(|| (mean(&losses[..part.min(2)]), mean(&losses[losses.len() - part..])))
    };
    let (start, _) = edges(first)?;
    let centre = |fit: &Fit| fit.info.data.x.first().map(|x| (x.mean * 1e6 / x.std).round());
    let alike = |fit: &Fit| {
        fit.info.call == "fit"
            && fit.info.epochs == Some(1)
            && fit.info.site == first.info.site
            && fit.info.samples == first.info.samples
            && centre(fit) == centre(first)
    };
    let round: Vec<&Fit> = fits.iter().filter(|fit| alike(fit)).collect();
    if round.len() < ROUNDS || round.len() < fits.len() {
        return None;
    }
    let edges_of: Vec<(f64, f64)> = round.iter().map(|fit| edges(fit)).collect::<Option<_>>()?;
    let falls = median(edges_of.iter().map(|(from, to)| to / from));
    let half = edges_of.len() / 2;
    let starts = |part: &[(f64, f64)]| median(part.iter().map(|(from, _)| *from));
    // How low the loss would start by now, had the rounds gone on from one another.
    let continued = falls.powf(half as f64);
    let again = starts(&edges_of[half..]) > AS_HIGH * starts(&edges_of[..half]);
    if !(continued < FALLEN && again) {
        return None;
    }
    let message = format!(
        "each of the {} trainings of one epoch starts from random weights again (first loss near {} every time), so only the last \
         counts; make the model once, before the loop",
        round.len(),
        number(start)
    );
    let cause = Cause::new(&INFO, Place::WeightsSet, 0.85, message);
    let told = edges_of
        .iter()
        .take(4)
        .map(|(from, to)| format!("{} → {}", number(*from), number(*to)));
    let told: Vec<String> = told.collect();
    Some((
        cause.seen(Phase::Loss, format!("loss by training: {}", told.join(", "))),
        first,
    ))
}
