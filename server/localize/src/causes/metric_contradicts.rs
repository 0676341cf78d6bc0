//! # metric-contradicts-predictions (DL726)
//!
//! ## What it does
//! Reports an accuracy that does not count the right answers of this network: another encoding of the labels, or labels
//! that are no classes at all.
//!
//! ## Why it matters
//! Training may go well while the number that is looked at (and that early stopping and the choice of a model may follow)
//! says nothing.
//!
//! ## Example
//! ```python
//! model.compile(loss="sparse_categorical_crossentropy", metrics=[CategoricalAccuracy()])
//! ```
//!
//! ## Use instead
//! ```python
//! model.compile(loss="sparse_categorical_crossentropy", metrics=[SparseCategoricalAccuracy()])
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! Metric faults in the taxonomy of Humbatova et al. (ICSE 2020). The share of right answers counted from predictions and
//! labels of the last third of the epochs against the metric that Keras logged: 25 points apart, ten times the deviation that sampling
//! every tenth step causes.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::Scalar;

use super::Cause;
use crate::case::Case;
use crate::learning::Task;
use crate::logs::entry;
use crate::place::Place;
use crate::text::{number, percent};
use crate::trend::mean;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL726",
    name: "metric-contradicts-predictions",
    kind: Kind::Metric,
    severity: Severity::Warning,
    source: include_str!("metric_contradicts.rs"),
};
/// Points apart.
const APART: f64 = 0.25;

/// Accuracies of Keras that count single answers, each by its own name: what a script calls its own function may count
/// anything.
const OWN: [&str; 5] = ["acc", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"];

fn is_own(name: &str) -> bool {
    OWN.contains(&name)
}

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if case.broken().is_some() || case.fit.info.data.y.len() != 1 || case.fit.info.weighted {
        return Vec::new();
    }
    // The last third of the epochs, never the first one: a metric is a running mean while the network still changes.
    let epochs = &case.fit.epochs;
    let late: Vec<_> = epochs[epochs.len() - epochs.len().div_ceil(3)..].iter().filter(|epoch| epoch.epoch > 0).collect();
    let values: Vec<f64> = late.iter().filter_map(|epoch| entry(epoch, is_own)).map(|(_, value)| value).collect();
    let (Some(from), Some(to)) = (late.first(), late.last()) else { return Vec::new() };
    let Some((name, _)) = entry(to, is_own) else { return Vec::new() };
    let logged = mean(&values);
    let when = over_epochs(from.epoch, to.epoch);
    let moments = case.fit.scalars().moments();
    let counted: Vec<f64> = case
        .fit
        .scalar(Scalar::Hits)
        .iter()
        .zip(moments)
        .filter(|(hits, moment)| hits.is_finite() && late.iter().any(|epoch| epoch.epoch == moment.epoch))
        .map(|(hits, _)| *hits)
        .collect();
    let learning = case.learning();
    let right = mean(&counted);
    let sparse = learning.task == Task::MultiClass;
    // Multi-label accuracies may rightly count whole rows.
    if counted.len() >= 3 && matches!(learning.task, Task::Binary | Task::MultiClass) && (right - logged).abs() > APART {
        let message = format!(
            "{name} says {}, but {} of the predictions are right: it does not read labels as they are given here{}",
            percent(logged),
            percent(right),
            if sparse { "; class numbers need sparse categorical accuracy, one-hot rows categorical accuracy" } else { "" }
        );
        return vec![
            Cause::new(&INFO, Place::Metrics, 0.85, message)
                .seen(Phase::Metric, format!("{name} {} {when}; counted {}", percent(logged), percent(right))),
        ];
    }
    if learning.task == Task::MultiLabel && name == "categorical_accuracy" {
        let message = format!(
            "{name} looks only at the largest value of each row, but these rows hold several labels or none: its {} say nothing of \
             the single labels; use binary accuracy",
            percent(logged)
        );
        let rows = case.fit.y().map_or_else(String::new, |y| {
            format!("rows of the labels hold {} to {} ones", number(y.row_sum_min), number(y.row_sum_max))
        });
        return vec![Cause::new(&INFO, Place::Metrics, 0.85, message).seen(Phase::Data, rows)];
    }
    let numbers = learning.task == Task::Regression && case.fit.y().is_some_and(|y| !y.integers && y.whole);
    if numbers && case.known_loss() && learning.explained.is_some_and(|explained| explained > logged + APART) {
        let message = format!(
            "{name} says {}, but the labels are numbers, not classes: it counts predictions that hit them exactly, and says nothing \
             of the {} of their variance that the network explains; use mean absolute error",
            percent(logged),
            percent(learning.explained.unwrap_or(0.0))
        );
        return vec![
            Cause::new(&INFO, Place::Metrics, 0.8, message).seen(Phase::Metric, format!("{name} {} {when}", percent(logged))),
        ];
    }
    Vec::new()
}

/// Epochs that a mean is taken over, counted from 1 for the reader.
fn over_epochs(from: u32, to: u32) -> String {
    match from == to {
        true => format!("in epoch {}", to + 1),
        false => format!("on average over epochs {} to {}", from + 1, to + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::over_epochs;

    #[test]
    fn a_mean_is_not_one_epochs_value() {
        assert_eq!(over_epochs(6, 9), "on average over epochs 7 to 10");
        assert_eq!(over_epochs(1, 1), "in epoch 2");
    }
}
