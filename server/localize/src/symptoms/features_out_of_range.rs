use finding::Phase;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "features out of range",
    what: "smallest and largest feature in front of a layer that computes with them",
    threshold: "a span above 2 that leaves [−10, 10]",
    source: "DeepDiagnosis, UMLAUT: outside [−1, 1]; DL Contract: span above 2; standardised features reach ±5, so the bound is wider",
};

const FAR: f64 = 10.0;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let embedded = case.layers().iter().any(|layer| layer.class == "Embedding");
    let x = case.fit.x().filter(|_| !embedded)?;
    let far = x.max - x.min > 2.0 && (x.max > FAR || x.min < -FAR);
    let text = format!("features go from {} to {}", number(x.min), number(x.max));
    far.then(|| Symptom::new(&INFO, Phase::Data, text))
}
