use finding::Phase;

use super::{Ends, Symptom, SymptomInfo, ends};
use crate::case::Case;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "vanishing gradient",
    what: "gradient per weight of the first layer, alone and against that of the last one",
    threshold: "below 1e-7, or below 1e-4 and 1e-3 of the last layer's",
    source: "DeepDiagnosis, SageMaker Debugger: 1e-7; AUTOTRAINER: 1e-3 and 1e-4, there per layer, here per weight",
};

const TINY: f64 = 1e-7;
const SMALL: f64 = 1e-4;
const RATIO: f64 = 1e-3;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let Ends { first, near, far, text } = ends(case)?;
    let vanishes = near < TINY || (near < SMALL && near < RATIO * far);
    (near > 0.0 && vanishes).then(|| Symptom::new(&INFO, Phase::Backward, text).layer(first))
}
