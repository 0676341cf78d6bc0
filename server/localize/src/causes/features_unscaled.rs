//! # features-unscaled (DL712)
//!
//! ## What it does
//! Reports features far from zero mean and unit variance, when the network that gets them does not learn.
//!
//! ## Why it matters
//! Initial weights and learning rates are made for inputs of about unit size. Features in the hundreds saturate tanh and
//! sigmoid at once and make gradients hundreds of times too long; a large offset common to all samples hides the small
//! differences between them, so every sample gets the same prediction.
//!
//! ## Example
//! ```python
//! x = np.array([[65, 66, 67], [68, 69, 70]])
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! x = np.array([[65, 66, 67], [68, 69, 70]])
//! x = (x - x.mean(axis=0)) / x.std(axis=0)
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! Unsafe: test data and later inputs must be scaled with the same mean and deviation.
//!
//! ## References
//! DL Contract (FSE 2023): features spanning at most 2; UMLAUT (CHI 2021) and DeepDiagnosis: outside [−1, 1] — alarms on
//! most healthy models by itself, so here only together with a failure to learn, from a root mean square of 10 or an
//! offset of 10 standard deviations on; LeCun et al., "Efficient BackProp" (1998), section 4.3.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::suspects::{self, Failure};
use super::{Cause, Remedy};
use crate::case::Case;
use crate::data;
use crate::place::Place;
use crate::text::{number, percent};

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL712",
    name: "features-unscaled",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("features_unscaled.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(charge) = suspects::charge(case, |suspects| suspects.features) else { return Vec::new() };
    let Some(x) = case.fit.info.data.x.iter().max_by(|a, b| data::rms(a).total_cmp(&data::rms(b))) else {
        return Vec::new();
    };
    let effect = match charge.failure {
        Failure::Diverges => "the gradients grow with them and training diverges",
        Failure::Stops => "the first steps are so long that the units die",
        Failure::Stuck => "the network does not get past a constant answer",
        Failure::Lags => "the network stays well behind what these data allow",
    };
    let offset = if x.offset_ratio > 10.0 {
        format!(", a typical one {} standard deviations away from 0", number(x.offset_ratio))
    } else {
        String::new()
    };
    let message = format!(
        "features go from {} to {}{offset}: {effect}; standardise them (subtract the mean, divide by the standard deviation)",
        number(x.min),
        number(x.max)
    );
    let cause = Cause::new(&INFO, Place::Features, charge.confidence.min(0.92), message).severity(charge.severity).seen(
        Phase::Data,
        format!("features of shape {:?}: mean {}, standard deviation {}", x.shape, number(x.mean), number(x.std)),
    );
    let mut cause = suspects::with_failure(case, charge.failure, cause);
    if let Some(layer) = case.hidden_activations().next() {
        let saturated = suspects::saturated_at_start(case, layer.index);
        if saturated > 0.5 {
            cause = cause.seen(
                Phase::Forward,
                format!("{} of the values in {} lie in the flat part of {}", percent(saturated), layer.name, layer.activation.as_deref().unwrap_or("its activation")),
            );
        }
    }
    cause.settled = charge.settled;
    vec![cause.remedy(Remedy::Standardise { title: "Standardise the features".into() })]
}
