use finding::Phase;
use trace::Scalar;

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "initial loss",
    what: "first loss of a classifier against that of a constant guess (ln C for C even classes)",
    threshold: "more than 100 % above",
    source: "TheDeepChecker",
};

const FACTOR: f64 = 2.0;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let first = case.fit.scalar(Scalar::Loss).first().copied()?;
    let constant = case.learning().constant_loss?;
    let text = format!(
        "the first loss is {}, that of a constant guess {}",
        number(first),
        number(constant)
    );
    (first > FACTOR * constant && constant > 0.1).then(|| Symptom::new(&INFO, Phase::Loss, text))
}
