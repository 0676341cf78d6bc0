//! # values-not-finite (DL701)
//!
//! ## What it does
//! Reports NaN or infinity in the features or labels given to `fit`.
//!
//! ## Why it matters
//! One NaN in a batch makes the loss NaN, then every gradient, then every weight: nothing is left to train.
//!
//! ## Example
//! ```python
//! x = pandas.read_csv("data.csv").to_numpy()   # empty cells become NaN
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! x = pandas.read_csv("data.csv").dropna().to_numpy()
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No automatic fix: whether to drop, fill or mask the rows is a decision about the data.
//!
//! ## References
//! DeepDiagnosis (ICSE 2022), supporting checks; UMLAUT (CHI 2021), NaN in input.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::DataInfo;

use super::Cause;
use crate::case::Case;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL701",
    name: "values-not-finite",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("values_not_finite.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    // A loss that stays finite shows that the model deals with them (a masking layer, a custom loss).
    if case.broken().is_none() && case.fit.steps > 0 {
        return Vec::new();
    }
    let data = &case.fit.info.data;
    let mut causes = Vec::new();
    for (arrays, place, what) in [(&data.x, Place::Features, "features"), (&data.y, Place::Labels, "labels")] {
        let Some(array) = arrays.iter().find(|array| array.nans + array.infs > 0) else { continue };
        let message = format!(
            "the {what} hold {}, so the loss is not a number and no weight can be trained; drop, fill or mask them before `fit`",
            count(array)
        );
        causes.push(
            Cause::new(&INFO, place, 0.97, message)
                .seen(Phase::Data, format!("{what} of shape {:?} with {}", array.shape, count(array)))
                .settled(),
        );
    }
    causes
}

fn count(array: &DataInfo) -> String {
    match (array.nans, array.infs) {
        (nans, 0) => format!("{nans} NaN"),
        (0, infs) => format!("{infs} infinite values"),
        (nans, infs) => format!("{nans} NaN and {infs} infinite values"),
    }
}
