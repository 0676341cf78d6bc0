use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "constant features",
    what: "columns of a two-dimensional input",
    threshold: "more than half of the columns have one value",
    source: "TheDeepChecker: constant features; half, because images and one-hot columns have some by nature",
};

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let x = case
        .fit
        .x()
        .filter(|x| x.whole && x.shape.len() == 2 && x.features > 0)?;
    let text = format!(
        "{} of {} features have the same value in every sample",
        x.constant_features, x.features
    );
    (2 * x.constant_features > x.features).then(|| Symptom::new(&INFO, Phase::Data, text))
}
