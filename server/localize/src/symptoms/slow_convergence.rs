use finding::Phase;

use super::{Symptom, SymptomInfo, accuracies};
use crate::case::Case;
use crate::text::percent;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "slow convergence",
    what: "largest gain of accuracy from one epoch to the next, and best accuracy",
    threshold: "a gain below 0.01 and an accuracy below 0.6, from five epochs on",
    source: "AUTOTRAINER",
};

const GAIN: f64 = 0.01;
const BEST: f64 = 0.6;
const FEWEST: usize = 5;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let values = accuracies(case);
    let best = values.iter().copied().fold(0.0, f64::max);
    let gain = values
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .fold(0.0, f64::max);
    let text = format!(
        "no epoch gains more than {}, and the best accuracy is {}",
        percent(gain),
        percent(best)
    );
    (values.len() >= FEWEST && gain < GAIN && best < BEST && best > 0.0)
        .then(|| Symptom::new(&INFO, Phase::Metric, text))
}
