use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::logs::logged;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "validation apart from training",
    what: "validation loss against training loss at the last epoch, and against its own minimum",
    threshold: "more than 10 % above both, from five epochs on",
    source: "SageMaker Debugger: (validation − training) / training above 0.1; UMLAUT: validation loss up while training loss falls",
};

const APART: f64 = 1.1;
const FEWEST: usize = 5;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let train = logged(case.fit, |name| name == "loss");
    let held = logged(case.fit, |name| name == "val_loss");
    let (trained, last) = (*train.last()?, *held.last()?);
    let best = held.iter().copied().fold(f64::INFINITY, f64::min);
    let text = format!(
        "the validation loss is {} where the training loss is {}; its least was {}",
        number(last),
        number(trained),
        number(best)
    );
    (held.len() >= FEWEST && trained > 0.0 && last > APART * trained && last > APART * best)
        .then(|| Symptom::new(&INFO, Phase::Metric, text))
}
