use finding::Phase;
use trace::{Stat, Tensor};

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::percent;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "dying relu",
    what: "share of a kernel's gradient that is exactly 0, over the last probed steps",
    threshold: "7 of 10 weights, behind a relu",
    source: "AUTOTRAINER: 0.7 of the gradient",
};

const SHARE: f64 = 0.7;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    // Features that are 0 in every sample give gradients of 0 as well, which is no symptom of the first layer.
    case.weighted()
        .skip(1)
        .filter(|layer| layer.activation.as_deref() == Some("relu"))
        .find_map(|layer| {
            let series = case.fit.series(layer.index, Tensor::Dw)?;
            let zeros = crate::trend::median(series.tail(Stat::Zeros, 10).iter().copied());
            let share = zeros / series.last(Stat::Count)?;
            let text = format!("{} of the gradient of {} is exactly 0", percent(share), layer.name);
            (share >= SHARE).then(|| Symptom::new(&INFO, Phase::Backward, text).layer(layer))
        })
}
