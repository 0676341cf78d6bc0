//! What the arrays say by themselves: scale of the features, coding of the labels.

use trace::DataInfo;

use crate::learning::Task;

/// Values per sample.
pub(crate) fn columns(data: &DataInfo) -> i64 {
    data.shape.iter().skip(1).product::<i64>().max(1)
}

/// Whether every row is one 1 among 0s.
pub(crate) fn one_hot(y: &DataInfo) -> bool {
    y.zero_one && columns(y) > 1 && y.row_sum_min == 1.0 && y.row_sum_max == 1.0
}

/// Whether some row holds several 1s (or none) among 0s.
pub(crate) fn multi_hot(y: &DataInfo) -> bool {
    y.zero_one && columns(y) > 1 && y.shape.len() == 2 && (y.row_sum_max > 1.0 || y.row_sum_min < 1.0)
}

/// How many classes there are, for labels in one column that number them from 0 without a gap.
pub(crate) fn numbered_classes(y: &DataInfo) -> Option<i64> {
    let seen = y.classes.as_ref()?.iter().filter(|(_, count)| *count > 0).count() as i64;
    (columns(y) == 1 && y.integers && y.min == 0.0 && y.max == (seen - 1) as f64 && seen > 1).then_some(seen)
}

/// Samples of each class, for labels that are class numbers or one-hot rows.
pub(crate) fn class_counts(y: &DataInfo) -> Option<Vec<u64>> {
    let classes = y
        .first_column_classes
        .as_ref()
        .filter(|_| columns(y) > 1)
        .or(y.classes.as_ref())?;
    Some(
        classes
            .iter()
            .map(|(_, count)| *count)
            .filter(|count| *count > 0)
            .collect(),
    )
}

/// Share of the most frequent answer: what a constant guess gets right.
pub(crate) fn majority(y: &DataInfo, task: Task) -> Option<f64> {
    match task {
        Task::MultiLabel => Some(y.mean.max(1.0 - y.mean)),
        Task::Binary | Task::MultiClass => {
            let classes = y
                .first_column_classes
                .as_ref()
                .filter(|_| columns(y) > 1)
                .or(y.classes.as_ref())?;
            let total: u64 = classes.iter().map(|(_, count)| count).sum();
            let most = classes.iter().map(|(_, count)| *count).max()?;
            Some(most as f64 / total as f64)
        }
        Task::Regression | Task::Unknown => None,
    }
}

/// Root mean square of the finite values.
pub(crate) fn rms(data: &DataInfo) -> f64 {
    data.mean.hypot(data.std)
}
