use finding::Phase;
use trace::{Stat, Tensor};

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::percent;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "dead units",
    what: "units of a relu layer that are 0 for every sample of the batch, over the last probed steps",
    threshold: "7 of 10 units",
    source: "DeepDiagnosis, AUTOTRAINER: 0.7 of the elements, TheDeepChecker, SageMaker Debugger: half of the units; here 0.7 of the \
             units, since half of the elements are 0 in every healthy relu layer",
};

const SHARE: f64 = 0.7;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    case.layers()
        .iter()
        .filter(|layer| matches!(layer.activation.as_deref(), Some("relu" | "relu6")))
        .find_map(|layer| {
            let series = case.fit.series(layer.index, Tensor::V2)?;
            let units = series.last(Stat::Units)?;
            let dead = crate::trend::median(series.tail(Stat::DeadUnits, 10).iter().copied());
            let text = format!("{} of the units of {} are 0 for every sample", percent(dead / units), layer.name);
            (dead >= SHARE * units).then(|| Symptom::new(&INFO, Phase::Forward, text).layer(layer))
        })
}
