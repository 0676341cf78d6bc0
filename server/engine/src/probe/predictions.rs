//! How the predictions of a batch compare with its labels, as docs/trace-protocol.md names it.

use super::units::spread_over_samples;
use crate::View;

/// How many numbers say how predictions compare with labels.
pub const COMPARED: usize = 9;

/// From `hits` to `prediction_majority`; NaN for what does not apply.
pub fn compare(
    labels: Option<View<'_>>,
    prediction: View<'_>,
    loss: &str,
    from_logits: bool,
) -> [f64; COMPARED] {
    let mut found = [f64::NAN; COMPARED];
    if let Some(labels) = labels {
        found[1] = labels.data.iter().map(|&y| f64::from(y)).sum();
        found[2] = labels.data.iter().map(|&y| f64::from(y) * f64::from(y)).sum();
        found[3] = labels.data.len() as f64;
        found[0] = hits(labels, prediction, loss, from_logits);
        if aligned(labels.shape, prediction.shape) && !loss.contains("sparse") {
            let pairs = labels.data.iter().zip(prediction.data);
            found[4] = pairs.map(|(&y, &p)| (f64::from(y) - f64::from(p)).powi(2)).sum();
        }
    }
    found[8] = majority(prediction, loss, from_logits);
    let finite = || prediction.data.iter().copied().filter(|value| value.is_finite());
    if finite().next().is_some() {
        let (low, high) = finite().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (found[6], found[7]) = (f64::from(low), f64::from(high));
    }
    if prediction.shape.first().is_some_and(|&samples| samples > 1) {
        found[5] = if prediction.shape.len() > 1 {
            spread_over_samples(prediction)
        } else {
            let shape = [prediction.data.len(), 1];
            spread_over_samples(View {
                shape: &shape,
                data: prediction.data,
            })
        };
    }
    found
}

/// Share of the most frequent predicted class; NaN where predictions are not classes.
fn majority(prediction: View<'_>, loss: &str, from_logits: bool) -> f64 {
    let values = prediction.data;
    if !loss.contains("crossentropy") || values.is_empty() || !values.iter().all(|value| value.is_finite()) {
        return f64::NAN;
    }
    let columns = columns(prediction.shape);
    if columns == 1 {
        let threshold = threshold(loss, from_logits);
        let positive = values.iter().filter(|&&value| value > threshold).count() as f64 / values.len() as f64;
        return positive.max(1.0 - positive);
    }
    if loss.starts_with("binary") {
        return f64::NAN;
    }
    let mut counts = vec![0_u32; columns];
    for row in values.chunks_exact(columns) {
        counts[argmax(row)] += 1;
    }
    let most = counts.into_iter().max().unwrap_or(0);
    f64::from(most) * columns as f64 / values.len() as f64
}

/// Size of the last axis, if it is not that of the samples.
fn columns(shape: &[usize]) -> usize {
    match shape {
        [_, .., last] => (*last).max(1),
        _ => 1,
    }
}

/// Whether labels and predictions are the same up to an axis of length 1.
fn aligned(labels: &[usize], prediction: &[usize]) -> bool {
    labels == prediction || [labels, &[1]].concat() == prediction || [prediction, &[1]].concat() == labels
}

/// Share of right answers; NaN when the labels are not classes.
fn hits(labels: View<'_>, prediction: View<'_>, loss: &str, from_logits: bool) -> f64 {
    let (t, p) = (labels.data, prediction.data);
    if t.is_empty() || !t.iter().all(|value| value.is_finite()) {
        return f64::NAN;
    }
    let aligned = aligned(labels.shape, prediction.shape);
    let columns = columns(prediction.shape);
    let sparse = loss.contains("sparse");
    if columns > 1 && (!aligned || sparse) {
        return sparse_hits(labels, prediction, columns);
    }
    let other = if is_hinge(loss) && !t.contains(&0.0) {
        -1.0
    } else {
        0.0
    };
    if !aligned || sparse || !t.iter().all(|&value| value == other || value == 1.0) {
        return f64::NAN;
    }
    if columns > 1
        && !loss.starts_with("binary")
        && t.chunks(columns).all(|row| row.iter().sum::<f32>() == 1.0)
    {
        let pairs = t.chunks(columns).zip(p.chunks(columns));
        let right = pairs.filter(|(t, p)| argmax(t) == argmax(p)).count();
        return right as f64 / (t.len() / columns) as f64;
    }
    let threshold = threshold(loss, from_logits);
    let right = t
        .iter()
        .zip(p)
        .filter(|&(&t, &p)| (p > threshold) == (t > 0.0))
        .count();
    right as f64 / t.len() as f64
}

/// Whether the sign of a prediction is its class; Keras takes labels 0 for -1 there.
fn is_hinge(loss: &str) -> bool {
    matches!(loss, "hinge" | "squared_hinge")
}

/// Between the predictions of two classes.
fn threshold(loss: &str, from_logits: bool) -> f32 {
    if from_logits || is_hinge(loss) { 0.0 } else { 0.5 }
}

fn sparse_hits(labels: View<'_>, prediction: View<'_>, columns: usize) -> f64 {
    let mut shape = labels.shape;
    if shape.len() == prediction.shape.len() && shape.last() == Some(&1) {
        shape = &shape[..shape.len() - 1];
    }
    let whole = labels.data.iter().all(|value| value.fract() == 0.0);
    let within = labels
        .data
        .iter()
        .all(|&value| value >= 0.0 && value < columns as f32);
    if shape != &prediction.shape[..prediction.shape.len() - 1] || !whole || !within {
        return f64::NAN;
    }
    let pairs = labels.data.iter().zip(prediction.data.chunks(columns));
    let right = pairs.filter(|&(&label, row)| argmax(row) as f32 == label).count();
    right as f64 / labels.data.len() as f64
}

/// Index of the largest; of a NaN if there is one, as NumPy does.
fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (at, &value) in row.iter().enumerate() {
        if value.is_nan() {
            return at;
        }
        if value > row[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_decides_under_a_hinge_loss() {
        fn view(data: &[f32; 4]) -> View<'_> {
            View { shape: &[4, 1], data }
        }
        let scores = [-3.0, 0.2, 1.4, -0.1];
        for labels in [[-1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]] {
            assert_eq!(hits(view(&labels), view(&scores), "squared_hinge", false), 0.75);
        }
        let numbers = [-1.0, 1.0, 1.0, 1.0];
        assert!(hits(view(&numbers), view(&scores), "mean_squared_error", false).is_nan());
    }
}
