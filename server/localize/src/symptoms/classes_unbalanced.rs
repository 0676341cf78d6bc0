use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::data;
use crate::learning::Task;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "unbalanced classes",
    what: "samples of the most over those of the least frequent class",
    threshold: "10",
    source: "SageMaker Debugger, class imbalance",
};

const RATIO: f64 = 10.0;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    if !matches!(case.learning().task, Task::Binary | Task::MultiClass) {
        return None;
    }
    let counts = data::class_counts(case.fit.y()?)?;
    let (most, least) = (*counts.iter().max()? as f64, *counts.iter().min()? as f64);
    let text = format!(
        "the most frequent class has {} times the samples of the least frequent one",
        number(most / least)
    );
    (most > RATIO * least).then(|| Symptom::new(&INFO, Phase::Data, text))
}
