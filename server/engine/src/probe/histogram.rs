//! Small histograms: how many elements lie in which tenth between the least and the greatest.

use trace::Stat;

use super::WIDTH;

/// Elements looked at; of larger tensors so many of them, spread evenly.
const SAMPLE: usize = 256;
/// The multiples of the golden ratio, modulo one, fill the interval evenly and in step with no shape.
const GOLDEN: f64 = 0.618_033_988_749_894_8;

/// Fills in the bins of finite `values`, whose extremes are in `stats` already.
pub fn fill(values: &[f32], stats: &mut [f64; WIDTH]) {
    let (low, high) = (stats[Stat::Min as usize], stats[Stat::Max as usize]);
    if !(high - low).is_finite() {
        return;
    }
    let bins = Stat::BINS.len();
    let scale = if high > low {
        bins as f64 / (high - low)
    } else {
        0.0
    };
    let mut counts = [0_u32; Stat::BINS.len()];
    let mut total = 0_u32;
    let mut count = |value: f32| {
        if value.is_finite() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let bin = ((f64::from(value) - low) * scale) as usize;
            // The greatest value belongs to the last bin.
            counts[bin.min(bins - 1)] += 1;
            total += 1;
        }
    };
    if values.len() <= SAMPLE {
        values.iter().copied().for_each(&mut count);
    } else {
        for number in 1..=SAMPLE {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let place = ((number as f64 * GOLDEN).fract() * values.len() as f64) as usize;
            values.get(place).copied().into_iter().for_each(&mut count);
        }
    }
    for (stat, count) in Stat::BINS.iter().zip(counts) {
        stats[*stat as usize] = f64::from(count) / f64::from(total.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(values: &[f32], low: f64, high: f64) -> Vec<f64> {
        let mut stats = [f64::NAN; WIDTH];
        stats[Stat::Min as usize] = low;
        stats[Stat::Max as usize] = high;
        fill(values, &mut stats);
        Stat::BINS.iter().map(|&stat| stats[stat as usize]).collect()
    }

    #[test]
    fn shares_by_tenths() {
        let few = bins(&[0.0, 0.5, 9.5, 10.0, f32::NAN], 0.0, 10.0);
        assert_eq!(few, [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5]);
        assert_eq!(bins(&[3.0, 3.0], 3.0, 3.0)[0], 1.0);
        assert!(bins(&[f32::NAN], f64::NAN, f64::NAN)[0].is_nan());
        // A tensor of 128 units of which every second is 1: both halves are seen, whatever the shape.
        let many: Vec<f32> = (0..128 * 64).map(|at| (at % 2) as f32).collect();
        let seen = bins(&many, 0.0, 1.0);
        assert!(
            (seen[0] - 0.5).abs() < 0.05 && (seen[9] - 0.5).abs() < 0.05,
            "{seen:?}"
        );
    }
}
