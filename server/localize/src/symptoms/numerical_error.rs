use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::causes::phase_of;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "numerical error",
    what: "every element of outputs, weights, gradients and updates, and the loss",
    threshold: "one NaN or infinity",
    source: "DeepLocalize, DeepDiagnosis, AUTOTRAINER",
};

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let broken = case.broken()?;
    let layer = broken
        .layer
        .and_then(|index| case.layers().iter().find(|layer| layer.index == index));
    let (what, symptom) = match layer {
        Some(layer) => {
            let phase = broken.tensor.map_or(Phase::Forward, phase_of);
            (layer.name.as_str(), Symptom::new(&INFO, phase, "").layer(layer))
        }
        None => ("the loss", Symptom::new(&INFO, Phase::Loss, "")),
    };
    let text = format!(
        "the first NaN or infinity is in {what}, at step {}",
        broken.moment.step + 1
    );
    Some(Symptom { text, ..symptom }.at(Some(broken.moment)))
}
