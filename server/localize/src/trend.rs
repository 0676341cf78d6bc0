//! Trends tested by slope: is a noisy series really going somewhere?

/// Straight line through a series, with the noise around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trend {
    /// Mean of the first block.
    pub first: f64,
    /// Mean of the last block.
    pub last: f64,
    /// Slope over the whole series (value at its end minus value at its start, on the fitted line).
    pub change: f64,
    /// Standard error of `change`.
    pub error: f64,
    /// Kendall's statistic of the blocks over its deviation under noise: below −3 for a series that falls, however bent.
    pub order: f64,
}

/// Blocks a series is averaged into before the line is fitted: the noise between batches averages out,
/// and the blocks are nearly independent.
const BLOCKS: usize = 12;

impl Trend {
    /// Trend of the finite values; `None` for fewer than six.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Trend> {
        let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        let blocks = BLOCKS.min(values.len() / 2);
        if blocks < 3 {
            return None;
        }
        let means: Vec<f64> = (0..blocks)
            .map(|block| {
                let from = block * values.len() / blocks;
                let to = (block + 1) * values.len() / blocks;
                mean(&values[from..to])
            })
            .collect();
        let count = means.len() as f64;
        let centre = (count - 1.0) / 2.0;
        let average = mean(&means);
        let spread: f64 = (0..means.len())
            .map(|index| (index as f64 - centre).powi(2))
            .sum();
        let slope = means
            .iter()
            .enumerate()
            .map(|(index, value)| (index as f64 - centre) * (value - average))
            .sum::<f64>()
            / spread;
        let residual: f64 = means
            .iter()
            .enumerate()
            .map(|(index, value)| (value - average - slope * (index as f64 - centre)).powi(2))
            .sum();
        let error = (residual / (count - 2.0) / spread).sqrt();
        let pairs = (0..means.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
        let order: f64 = pairs
            .map(|(earlier, later)| match means[later].total_cmp(&means[earlier]) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Less => -1.0,
                std::cmp::Ordering::Equal => 0.0,
            })
            .sum();
        let deviation = (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
        Some(Trend {
            first: means[0],
            last: means[means.len() - 1],
            change: slope * (count - 1.0),
            error: error * (count - 1.0),
            order: order / deviation,
        })
    }

    /// Whether the series falls by more than its noise: three standard errors of the line, or of the order of its blocks,
    /// which also sees a loss that falls at once and then stays low.
    pub fn falls(&self) -> bool {
        self.change < -3.0 * self.error || self.order < -3.0
    }

    /// Part of the first block's value that was lost by the last block.
    pub fn relative_drop(&self) -> f64 {
        if self.first.abs() > 0.0 {
            (self.first - self.last) / self.first.abs()
        } else {
            0.0
        }
    }
}

/// Mean; NaN of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Median of the finite values; NaN of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64) -> impl Iterator<Item = f64> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
        })
    }

    #[test]
    fn noise_alone_is_no_trend() {
        let falls = (0..200)
            .filter(|&seed| Trend::of(noise(seed).take(400)).unwrap().falls())
            .count();
        assert!(falls <= 4, "{falls} of 200 noise series called falling");
    }

    #[test]
    fn a_slope_under_the_noise_is_found() {
        for seed in 0..50 {
            let series = noise(seed)
                .take(600)
                .enumerate()
                .map(|(step, noise)| noise - step as f64 / 1200.0);
            assert!(Trend::of(series).unwrap().falls(), "seed {seed}");
        }
    }

    #[test]
    fn short_and_broken_series() {
        assert_eq!(Trend::of([1.0, 2.0, 3.0]), None);
        assert_eq!(Trend::of(std::iter::repeat_n(f64::NAN, 100)), None);
        let constant = Trend::of(std::iter::repeat_n(0.7, 100)).unwrap();
        assert!(!constant.falls() && constant.relative_drop() == 0.0);
        assert_eq!(median([3.0, f64::NAN, 1.0]), 2.0);
    }
}
