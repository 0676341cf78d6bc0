use finding::Phase;

use super::{Ends, Symptom, SymptomInfo, ends};
use crate::case::Case;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "exploding gradient",
    what: "gradient per weight of the first layer against that of the last one, and alone",
    threshold: "70 times the last layer's, or 1e3",
    source: "AUTOTRAINER: ratio 70, loss 1e3",
};

const RATIO: f64 = 70.0;
const LARGE: f64 = 1e3;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let Ends { first, near, far, text } = ends(case)?;
    let explodes = near > LARGE || (far > 0.0 && near > RATIO * far);
    explodes.then(|| Symptom::new(&INFO, Phase::Backward, text).layer(first))
}
