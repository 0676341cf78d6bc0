use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "diverging loss",
    what: "mean loss of the last twelfth of the training against its first twelfth",
    threshold: "twice as high, and beyond the noise",
    source: "TheDeepChecker: twice its minimum; AUTOTRAINER: 1e3",
};

const FACTOR: f64 = 2.0;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let loss = case.learning().loss?;
    let grows = loss.first > 0.0 && loss.last > FACTOR * loss.first && loss.change > 3.0 * loss.error;
    let text = format!("the loss grows from {} to {}", number(loss.first), number(loss.last));
    grows.then(|| Symptom::new(&INFO, Phase::Loss, text))
}
