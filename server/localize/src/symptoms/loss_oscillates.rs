//! Swings of a whole epoch's values: those of single batches are noise of the samples.

use finding::Phase;

use super::{Symptom, SymptomInfo, accuracies};
use crate::logs::logged;
use crate::case::Case;
use crate::text::percent;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "oscillation",
    what: "epochs at which accuracy (without one: loss, relative to its mean) turns by as much as the threshold in both directions",
    threshold: "swings of 0.03 (loss: 20 %) at a fifth of the epochs, from ten epochs on",
    source: "AUTOTRAINER, oscillating loss; TheDeepChecker, fluctuating loss",
};

const SWING: f64 = 0.03;
const SWING_OF_LOSS: f64 = 0.2;
const SHARE: f64 = 0.2;
const FEWEST: usize = 10;

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let accuracies = accuracies(case);
    let (values, swing, what) = if accuracies.len() >= FEWEST {
        (accuracies, SWING, "accuracy")
    } else {
        let losses = logged(case.fit, |name| name == "loss");
        let mean = crate::trend::mean(&losses);
        let relative = losses.iter().map(|loss| loss / mean).collect();
        (relative, SWING_OF_LOSS, "loss")
    };
    let turns = turns(&values, swing);
    let text = format!(
        "{what} turns by {} or more at {turns} of {} epochs",
        percent(swing),
        values.len()
    );
    (values.len() >= FEWEST && turns as f64 >= SHARE * values.len() as f64)
        .then(|| Symptom::new(&INFO, Phase::Loss, text))
}

/// Values that lie by `swing` above or below both neighbours.
fn turns(values: &[f64], swing: f64) -> usize {
    let turn = |around: &&[f64]| {
        let (before, after) = (around[1] - around[0], around[1] - around[2]);
        before.signum() == after.signum() && before.abs().min(after.abs()) >= swing
    };
    values.windows(3).filter(turn).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zigzag_turns_and_a_noisy_rise_does_not() {
        let zigzag: Vec<f64> = (0..20).map(|epoch| f64::from(epoch % 2) * 0.1).collect();
        assert_eq!(turns(&zigzag, SWING), 18);
        let rise: Vec<f64> = (0..20)
            .map(|epoch| f64::from(epoch) * 0.02 + f64::from(epoch % 2) * 0.03)
            .collect();
        assert_eq!(turns(&rise, SWING), 0);
    }
}
