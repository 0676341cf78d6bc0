use finding::Phase;
use trace::{Stat, Tensor};

use super::{Symptom, SymptomInfo};
use crate::case::Case;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "unchanged weights",
    what: "updates of a layer that may be trained",
    threshold: "exactly 0 over the last 5 probed steps",
    source: "DeepLocalize, DeepDiagnosis: unchanged over N = 5; SageMaker Debugger: 3 steps",
};

const STEPS: usize = 5;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    case.weighted().find_map(|layer| {
        let series = case.fit.series(layer.index, Tensor::Update)?;
        let recent = series.tail(Stat::L2, STEPS);
        let still = recent.len() >= STEPS && recent.iter().all(|length| *length == 0.0);
        let text = format!("the weights of {} have stopped changing", layer.name);
        still.then(|| Symptom::new(&INFO, Phase::Update, text).layer(layer))
    })
}
