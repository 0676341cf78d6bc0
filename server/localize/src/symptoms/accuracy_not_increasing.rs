use finding::Phase;

use super::{Symptom, SymptomInfo, accuracies};
use crate::case::Case;
use crate::text::percent;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "accuracy not increasing",
    what: "best accuracy of the second half of the epochs against the first half's",
    threshold: "no more than 0.01 above it, and below 0.95; from six epochs on",
    source: "DeepDiagnosis: unchanged over N = 20; here the best of halves, since an accuracy of one batch is noise",
};

const GAIN: f64 = 0.01;
const DONE: f64 = 0.95;
const FEWEST: usize = 6;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let values = accuracies(case);
    if values.len() < FEWEST {
        return None;
    }
    let best = |values: &[f64]| values.iter().copied().fold(f64::NAN, f64::max);
    let (early, late) = (best(&values[..values.len() / 2]), best(&values[values.len() / 2..]));
    let text = format!(
        "accuracy does not rise: {} in the first half of the epochs, {} in the second",
        percent(early),
        percent(late)
    );
    (late < early + GAIN && late < DONE).then(|| Symptom::new(&INFO, Phase::Metric, text))
}
