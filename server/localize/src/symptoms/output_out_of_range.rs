use finding::Phase;
use trace::{Stat, Tensor};

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::learning::Task;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "output out of the labels' range",
    what: "spread of the last layer's output against that of numeric labels, over all probed steps",
    threshold: "the labels reach 10 times as far as the output ever did, or the reverse at the end",
    source: "DeepDiagnosis, out of range: factor 10",
};

const FACTOR: f64 = 10.0;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let y = case.fit.y().filter(|_| case.learning().task == Task::Regression)?;
    let layer = case.layers().last()?;
    let series = case.fit.series(layer.index, Tensor::V2)?;
    let most = series.stat(Stat::AbsMax).iter().copied().fold(0.0, f64::max);
    let (last, labels) = (series.last(Stat::AbsMax)?, y.min.abs().max(y.max.abs()));
    let text = format!(
        "labels go from {} to {}, outputs reach ±{} at most and ±{} at the end",
        number(y.min),
        number(y.max),
        number(most),
        number(last)
    );
    (labels > FACTOR * most || last > FACTOR * labels)
        .then(|| Symptom::new(&INFO, Phase::Forward, text).layer(layer))
}
