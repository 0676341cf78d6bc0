//! How the predictions of a batch compare with its labels, as docs/trace-protocol.md names it.

use crate::View;

/// From `hits` to `prediction_max`; NaN for what does not apply.
pub fn compare(labels: Option<View<'_>>, prediction: View<'_>, loss: &str, from_logits: bool) -> [f64; 8] {
    let mut found = [f64::NAN; 8];
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
    let finite = || prediction.data.iter().copied().filter(|value| value.is_finite());
    if finite().next().is_some() {
        let (low, high) = finite().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        (found[6], found[7]) = (f64::from(low), f64::from(high));
    }
    if prediction.shape.first().is_some_and(|&samples| samples > 1) {
        found[5] = if prediction.shape.len() > 1 {
            super::statistics::spread_over_samples(prediction)
        } else {
            let shape = [prediction.data.len(), 1];
            super::statistics::spread_over_samples(View {
                shape: &shape,
                data: prediction.data,
            })
        };
    }
    found
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
    let columns = if prediction.shape.len() > 1 {
        prediction.shape.last().copied().unwrap_or(1)
    } else {
        1
    };
    let sparse = loss.contains("sparse");
    if columns > 1 && (!aligned || sparse) {
        return sparse_hits(labels, prediction, columns);
    }
    if !aligned || sparse || !t.iter().all(|&value| value == 0.0 || value == 1.0) {
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
    let threshold = if from_logits { 0.0 } else { 0.5 };
    let right = t
        .iter()
        .zip(p)
        .filter(|&(&t, &p)| (p > threshold) == (t == 1.0))
        .count();
    right as f64 / t.len() as f64
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
