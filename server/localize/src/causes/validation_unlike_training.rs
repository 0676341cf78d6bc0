//! # validation-unlike-training (DL747)
//!
//! ## What it does
//! Reports validation features that are scaled unlike the training features, when the network answers well in training and
//! no better than by chance on them.
//!
//! ## Why it matters
//! A network that was trained on standardised features sees raw ones as values far outside of anything it knows. Its
//! answers there mean nothing, however well it has learned.
//!
//! ## Example
//! ```python
//! x_train = scaler.fit_transform(x_train)
//! model.fit(x_train, y_train, validation_data=(x_test, y_test))
//! ```
//!
//! ## Use instead
//! ```python
//! x_train = scaler.fit_transform(x_train)
//! x_test = scaler.transform(x_test)
//! model.fit(x_train, y_train, validation_data=(x_test, y_test))
//! ```
//!
//! ## Fix safety
//! No automatic fix: which scaler belongs to the data is not known.
//!
//! ## References
//! Breck et al., Data Validation for Machine Learning (MLSys 2019) compare distributions. For half of the features the means
//! have to lie three standard deviations of the training data apart, or the spreads a factor of three: in honest splits of
//! our data sets no feature is.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::Cause;
use crate::case::Case;
use crate::learning::State;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL747",
    name: "validation-unlike-training",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("validation_unlike_training.rs"),
};
/// Share of the features that are scaled otherwise.
const APART: f64 = 0.5;
/// Skill on the validation data that is no better than chance.
const CHANCE: f64 = 0.1;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let learning = case.learning();
    let Some(held_out) = case.fit.info.data.held_out.as_ref().filter(|held_out| held_out.samples >= 20) else {
        return Vec::new();
    };
    let (Some(skill), Some(best)) = (learning.skill, learning.validated_best) else { return Vec::new() };
    if held_out.apart.is_nan() || held_out.apart < APART || learning.state() != State::Learned || best > CHANCE {
        return Vec::new();
    }
    let message = format!(
        "the validation features are not scaled as the training features are ({} of them lie elsewhere or spread otherwise by a \
         factor of three or more), so what the network says of them means nothing; scale both with what was fitted on the \
         training data",
        percent(held_out.apart)
    );
    vec![
        Cause::new(&INFO, Place::ValidationFeatures, 0.92, message)
            .seen(
                Phase::Metric,
                format!("of the way from a constant answer to perfection: {} in training, {} in validation", percent(skill), percent(best.max(0.0))),
            )
            .settled(),
    ]
}
