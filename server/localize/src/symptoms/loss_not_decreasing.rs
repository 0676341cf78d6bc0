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
    let text = if loss.falls() {
        format!("the loss hardly falls: {} → {}", number(loss.first), number(loss.last))
    } else if loss.change > 3.0 * loss.error {
        format!("the loss grows: {} → {}", number(loss.first), number(loss.last))
    } else {
        // First and last value would show the noise of two batches.
        format!(
            "the loss does not fall: {} over the training, within its noise of {}",
            change(loss.change),
            number(3.0 * loss.error)
        )
    };
    (!loss.falls() || loss.relative_drop() < DROP).then(|| Symptom::new(&INFO, Phase::Loss, text))
}

/// A change with its sign.
fn change(change: f64) -> String {
    format!("{}{}", if change < 0.0 { "−" } else { "+" }, number(change.abs()))
}
