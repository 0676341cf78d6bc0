use finding::Phase;
use trace::{Stat, Tensor};

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "initial weights out of scale",
    what: "variance of a kernel before the first step, over that of Glorot's initialisation",
    threshold: "below 1/10 or above 10, or a variance above 10",
    source: "SageMaker Debugger: ratio 10; DeepDiagnosis: a variance above 10 (its lower bound, 1e-5, is usual in wide layers); TheDeepChecker: against Glorot and He",
};

const RATIO: f64 = 10.0;
const LARGEST: f64 = 10.0;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    case.weighted().find_map(|layer| {
        let ratio = case.initial_scale(layer)?.powi(2);
        let variance = case
            .fit
            .series(layer.index, Tensor::W)?
            .first(Stat::Std)?
            .powi(2);
        let off = !(1.0 / RATIO..=RATIO).contains(&ratio) || variance > LARGEST;
        let text = format!(
            "the kernel of {} starts with {} times the variance of Glorot's initialisation",
            layer.name,
            number(ratio)
        );
        off.then(|| Symptom::new(&INFO, Phase::Forward, text).layer(layer))
    })
}
