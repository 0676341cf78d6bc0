use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "update ratio",
    what: "length of an update over that of the weights it changes, median over layers and steps",
    threshold: "below 1e-5 or above 0.1",
    source: "DeepDiagnosis: 1e-5 … 1e-1; TheDeepChecker: log10 within [−4, −1]; SageMaker Debugger: 1e-8 … 10",
};

const SMALL: f64 = 1e-5;
const LARGE: f64 = 0.1;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let ratio = case.typical_update_ratio();
    let text = format!(
        "a step typically changes the weights by {} of their size (1e-3 is usual)",
        number(ratio)
    );
    (ratio.is_finite() && ratio > 0.0 && !(SMALL..=LARGE).contains(&ratio))
        .then(|| Symptom::new(&INFO, Phase::Update, text))
}
