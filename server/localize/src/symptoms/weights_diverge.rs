use finding::Phase;
use trace::{Stat, Tensor};

use super::{Symptom, SymptomInfo};
use crate::case::Case;
use crate::text::number;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "diverging weights",
    what: "length of a kernel at the end against its start",
    threshold: "10 times, and larger than one per weight",
    source: "TheDeepChecker, weight divergence; the factor is ours: healthy fixtures stay within 4",
};

const FACTOR: f64 = 10.0;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    case.weighted().find_map(|layer| {
        let series = case.fit.series(layer.index, Tensor::W)?;
        let (first, last) = (series.first(Stat::L2)?, series.last(Stat::L2)?);
        let large = last > FACTOR * first && last > series.last(Stat::Count)?.sqrt();
        let text = format!(
            "the kernel of {} grows from length {} to {}",
            layer.name,
            number(first),
            number(last)
        );
        large.then(|| Symptom::new(&INFO, Phase::Update, text).layer(layer))
    })
}
