use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "loss not decreasing",
    what: "loss over the training as a line through twelve blocks, with its noise",
    threshold: "falls by less than three standard errors, or by less than 5 %",
    source: "DeepLocalize, DeepDiagnosis: equal over N values; TheDeepChecker: 5 %; here by slope, since noise makes no two values equal",
};

const DROP: f64 = 0.05;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let loss = case.learning().loss?;
    let text = format!(
        "the loss does not fall: {} → {}",
        number(loss.first),
        number(loss.last)
    );
    (!loss.falls() || loss.relative_drop() < DROP).then(|| Symptom::new(&INFO, Phase::Loss, text))
}
