use finding::Phase;
use trace::{Stat, Tensor};

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::percent;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "saturated activation",
    what: "share of the inputs of a hidden sigmoid or tanh that are beyond ±5",
    threshold: "half",
    source: "DeepDiagnosis",
};

const SHARE: f64 = 0.5;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    case.hidden_activations().find_map(|layer| {
        let series = case.fit.series(layer.index, Tensor::V1)?;
        let share = crate::trend::median(series.tail(Stat::Saturated, 10).iter().copied());
        let text = format!(
            "{} of the values in {} lie in the flat part of its activation",
            percent(share),
            layer.name
        );
        (share > SHARE).then(|| Symptom::new(&INFO, Phase::Forward, text).layer(layer))
    })
}
