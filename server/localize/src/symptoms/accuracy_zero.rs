use finding::Phase;

use super::{Symptom, SymptomInfo, accuracies};
use crate::case::Case;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "accuracy of zero",
    what: "accuracy at the end of the epochs",
    threshold: "0 (or not a number) at every one of two or more",
    source: "DeepLocalize, error in accuracy function",
};

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let values = accuracies(case);
    let nothing = values.iter().all(|value| *value == 0.0 || !value.is_finite());
    let text = format!("accuracy is 0 at all of {} epochs", values.len());
    (values.len() > 1 && nothing).then(|| Symptom::new(&INFO, Phase::Metric, text))
}
