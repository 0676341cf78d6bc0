use finding::Phase;
use trace::{Stat, Tensor};

use super::{Symptom, SymptomInfo};
use crate::case::Case;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "zero output",
    what: "share of the probed steps at which a whole output is 0",
    threshold: "1/4",
    source: "DeepLocalize: mean 0 in a quarter of the iterations; SageMaker Debugger: all-zero tensor; here every element, not the mean",
};

const SHARE: f64 = 0.25;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    case.layers().iter().find_map(|layer| {
        let series = case.fit.series(layer.index, Tensor::V2)?;
        let sizes = series.stat(Stat::AbsMax);
        let zero = sizes.iter().filter(|size| **size == 0.0).count();
        let first = sizes.iter().position(|size| *size == 0.0)?;
        let text = format!(
            "the whole output of {} is 0 at {zero} of {} steps",
            layer.name,
            sizes.len()
        );
        let often = zero as f64 > SHARE * sizes.len() as f64;
        often.then(|| {
            Symptom::new(&INFO, Phase::Forward, text)
                .layer(layer)
                .at(series.history().moments().get(first).copied())
        })
    })
}
