//! # targets-unscaled (DL713)
//!
//! ## What it does
//! Reports regression targets of large size, when the network does not learn them.
//!
//! ## Why it matters
//! The gradient of a squared error grows with the error. Targets in the thousands make the first steps thousands of times
//! too long (the loss diverges or the units die), or, under Adam, leave the output millions of small steps away from them.
//!
//! ## Example
//! ```python
//! y = prices                     # 34,900 … 755,000
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! y = (prices - prices.mean()) / prices.std()
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! Unsafe: predictions come out in the new unit and have to be scaled back.
//!
//! ## References
//! Cases 33969059, 52800582 and kaggle-melbourne_properties of the DeepLocalize benchmark. From a root mean square of 30
//! on, and only together with a failure to learn (our measurement on these cases and their twins).

use finding::{Kind, Phase, RuleInfo, Severity};

use super::suspects::{self, Failure};
use super::{Cause, Remedy};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL713",
    name: "targets-unscaled",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("targets_unscaled.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(charge) = suspects::charge(case, |suspects| suspects.targets) else { return Vec::new() };
    let Some(y) = case.fit.y() else { return Vec::new() };
    let effect = match charge.failure {
        Failure::Diverges => "the gradients grow with them and training diverges",
        Failure::Stops => "the first steps are so long that the units die",
        Failure::Stuck => "the output does not get there",
        Failure::Lags => "the output gets there only in part",
    };
    let message = format!(
        "the targets go from {} to {} (mean {}): {effect}; standardise them and scale the predictions back",
        number(y.min),
        number(y.max),
        number(y.mean)
    );
    let cause = Cause::new(&INFO, Place::Labels, charge.confidence.min(0.9), message)
        .severity(charge.severity)
        .seen(Phase::Data, format!("targets: mean {}, standard deviation {}", number(y.mean), number(y.std)));
    let mut cause = suspects::with_failure(case, charge.failure, cause);
    cause.settled = charge.settled;
    vec![cause.remedy(Remedy::Standardise { title: "Standardise the targets".into() })]
}
