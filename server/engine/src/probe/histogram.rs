//! Small histograms: how many elements lie in which tenth between the least and the greatest.

use trace::Stat;

use super::WIDTH;
use crate::native::wide;

/// Elements looked at; of larger tensors so many of them, spread evenly.
const SAMPLE: usize = 256;
/// The golden ratio as a fraction of 2^64: its multiples, modulo one, fill the interval evenly and in step with no shape.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
/// Lengths whose places are remembered.
const MOST_KNOWN: usize = 64;
const BINS: usize = Stat::BINS.len();

/// Which elements are looked at, by the length of the tensor.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    known: Vec<(usize, Vec<u32>)>,
}

impl Places {
    /// Fills in the bins of finite `values`, whose extremes and numbers of NaNs and infinities are in `stats` already.
    pub fn fill(&mut self, values: &[f32], stats: &mut [f64; WIDTH]) {
        let (low, high) = (stats[Stat::Min as usize], stats[Stat::Max as usize]);
        if !(high - low).is_finite() {
            return;
        }
        let mut sample = [0.0_f32; SAMPLE];
        let mut taken = values.len().min(SAMPLE);
        if values.len() <= SAMPLE {
            sample[..taken].copy_from_slice(values);
        } else {
            for (sample, &place) in sample.iter_mut().zip(self.of(values.len())) {
                *sample = values.get(place as usize).copied().unwrap_or(0.0);
            }
        }
        if stats[Stat::Nans as usize] + stats[Stat::Infs as usize] > 0.0 {
            let mut kept = 0;
            for at in 0..taken {
                if sample[at].is_finite() {
                    sample[kept] = sample[at];
                    kept += 1;
                }
            }
            taken = kept;
        }
        let bounds = bounds(
            low,
            if high > low {
                BINS as f64 / (high - low)
            } else {
                0.0
            },
        );
        let above = wide(
            #[inline(always)]
            || from_each_on(&sample[..taken], &bounds),
        );
        let from_on = |bin: usize| match bin {
            0 => taken as f64,
            BINS => 0.0,
            bin => f64::from(above[bin - 1]),
        };
        for (bin, stat) in Stat::BINS.iter().enumerate() {
            stats[*stat as usize] = (from_on(bin) - from_on(bin + 1)) / taken.max(1) as f64;
        }
    }

    fn of(&mut self, length: usize) -> &[u32] {
        let known = self.known.iter().position(|(known, _)| *known == length);
        let at = known.unwrap_or_else(|| {
            // Tensors have few lengths, but batches may have many.
            if self.known.len() >= MOST_KNOWN {
                self.known.clear();
            }
            let place = |number: u64| (u128::from(number.wrapping_mul(GOLDEN)) * length as u128) >> 64;
            #[allow(clippy::cast_possible_truncation)]
            let places = (1..=SAMPLE as u64).map(|number| place(number) as u32).collect();
            self.known.push((length, places));
            self.known.len() - 1
        });
        &self.known[at].1
    }
}

/// The least number in single precision that lies in each bin but the first.
fn bounds(low: f64, scale: f64) -> [f32; BINS - 1] {
    let mut bounds = [f32::INFINITY; BINS - 1];
    if scale > 0.0 {
        for (bound, bin) in bounds.iter_mut().zip(1_u32..) {
            let bin = f64::from(bin);
            let inside = |value: f32| (f64::from(value) - low) * scale >= bin;
            #[allow(clippy::cast_possible_truncation)]
            let mut least = (low + bin / scale) as f32;
            // Rounding leaves it a step or two away at most.
            let mut steps = 0;
            while !inside(least) && steps < 4 {
                least = least.next_up();
                steps += 1;
            }
            while inside(least.next_down()) && steps < 4 {
                least = least.next_down();
                steps += 1;
            }
            *bound = least;
        }
    }
    bounds
}

/// How many values lie in each bin but the first, or above it; the greatest value belongs to the last bin.
#[inline(always)]
fn from_each_on(values: &[f32], bounds: &[f32; BINS - 1]) -> [u32; BINS - 1] {
    // One bound after the other, which vector instructions can do.
    bounds.map(|bound| values.iter().map(|&value| u32::from(value >= bound)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(values: &[f32], low: f64, high: f64) -> Vec<f64> {
        let mut stats = [f64::NAN; WIDTH];
        stats[Stat::Min as usize] = low;
        stats[Stat::Max as usize] = high;
        stats[Stat::Nans as usize] = values.iter().filter(|value| value.is_nan()).count() as f64;
        stats[Stat::Infs as usize] = 0.0;
        Places::default().fill(values, &mut stats);
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
