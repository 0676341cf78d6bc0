use finding::Phase;

use super::{Symptom, SymptomInfo, accuracies};
use crate::case::Case;

pub(super) const INFO: SymptomInfo = SymptomInfo {
    name: "accuracy of zero",
    what: "accuracy at the end of the epochs",
    threshold: "0 (or not a number) at every one of two or more",
    source: "DeepLocalize, error in accuracy function",
};

pub(super) fn find(case: &Case<'_>) -> Option<Symptom> {
    let values = accuracies(case);
    let nothing = values.iter().all(|value| *value == 0.0 || !value.is_finite());
    let text = text(&values);
    (values.len() > 1 && nothing).then(|| Symptom::new(&INFO, Phase::Metric, text))
}

fn text(values: &[f64]) -> String {
    let what = match values.iter().filter(|value| value.is_finite()).count() {
        0 => "not a number",
        known if known < values.len() => "0 or not a number",
        _ => "0",
    };
    format!("accuracy is {what} at all of {} epochs", values.len())
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn what_is_no_number_is_not_called_zero() {
        assert_eq!(text(&[0.0, 0.0]), "accuracy is 0 at all of 2 epochs");
        assert_eq!(
            text(&[f64::NAN, f64::NAN]),
            "accuracy is not a number at all of 2 epochs"
        );
        assert_eq!(
            text(&[0.0, f64::NAN]),
            "accuracy is 0 or not a number at all of 2 epochs"
        );
    }
}
