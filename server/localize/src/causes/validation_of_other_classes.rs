//! # validation-of-other-classes (DL719)
//!
//! ## What it does
//! Reports validation data whose classes are not those of the training data.
//!
//! ## Why it matters
//! `validation_split` takes the last rows, unshuffled. On data sorted by class the last classes are never trained on, and
//! validation tests only those.
//!
//! ## Example
//! ```python
//! x, y = load_iris(return_X_y=True)          # sorted by class
//! model.fit(x, y, validation_split=0.3)
//! ```
//!
//! ## Use instead
//! ```python
//! x, y = load_iris(return_X_y=True)
//! x, y = sklearn.utils.shuffle(x, y, random_state=0)
//! model.fit(x, y, validation_split=0.3)
//! ```
//!
//! ## Fix safety
//! No automatic fix: features and labels have to be shuffled together.
//!
//! ## References
//! UMLAUT (CHI 2021) looks at the gap between the accuracies; here the labels themselves are compared. Half of the
//! mixture has to differ (total variation distance, at least 20 samples): honest splits of our data sets stay below 0.25.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::Cause;
use crate::case::Case;
use crate::learning::Task;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL719",
    name: "validation-of-other-classes",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("validation_of_other_classes.rs"),
};
/// Distance between the mixtures of classes.
const SHIFT: f64 = 0.5;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(held_out) = case.fit.info.data.held_out.as_ref().filter(|held_out| held_out.shift >= SHIFT && held_out.samples >= 20) else {
        return Vec::new();
    };
    if case.learning().task == Task::Regression {
        return Vec::new();
    }
    let message = format!(
        "the validation data hold other classes than the training data ({} of the mixture differs): the rows are sorted by class, \
         and the split takes the last ones; shuffle features and labels together first",
        percent(held_out.shift)
    );
    vec![
        Cause::new(&INFO, Place::FitArgument("validation_split"), 0.93, message)
            .seen(Phase::Data, format!("{} validation samples of {} classes", held_out.samples, held_out.classes.unwrap_or(0)))
            .settled(),
    ]
}
