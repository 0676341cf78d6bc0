use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "constant predictions",
    what: "spread of the predictions over the samples, against that of the labels",
    threshold: "1 %",
    source: "DeepDiagnosis: output unchanged; SageMaker Debugger: unchanged tensor; here over the samples, since a mean over them hides it",
};

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let learning = case.learning();
    let text = format!(
        "all samples get the same prediction (spread {})",
        number(learning.spread)
    );
    learning
        .constant
        .then(|| Symptom::new(&INFO, Phase::Forward, text))
}
