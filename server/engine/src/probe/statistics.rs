//! Statistics of tensors over their finite values, as docs/trace-protocol.md names them.

use trace::Stat;

use super::WIDTH;
use super::histogram::Places;
use crate::native::wide;

/// Elements summed in single precision before going over to double; a multiple of the lanes.
pub(super) const BLOCK: usize = 256;
const LANES: usize = 16;
/// A first value beyond this is no help for centring, and would overflow.
const LARGE: f32 = 1e15;

/// What is known of a tensor after some of its elements; more can be added.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// All sums are about this: a value of the tensor, so that a small spread around a large mean is not lost.
    shift: f32,
    count: u64,
    /// How many of them are finite, and their sums.
    finite: u64,
    sum: f64,
    squares: f64,
    min: f32,
    max: f32,
    zeros: u64,
    nans: u64,
    infs: u64,
    /// The first element that is not finite: where and what.
    broken: Option<(usize, f32)>,
}

impl Default for Summary {
    fn default() -> Self {
        Summary {
            shift: 0.0,
            count: 0,
            finite: 0,
            sum: 0.0,
            squares: 0.0,
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
            zeros: 0,
            nans: 0,
            infs: 0,
            broken: None,
        }
    }
}

/// What sums are best taken about.
pub(super) fn centre(first: f32) -> f32 {
    if first.abs() < LARGE { first } else { 0.0 }
}

impl Summary {
    /// That of so many zeros.
    pub fn of_zeros(count: usize) -> Self {
        Summary {
            count: count as u64,
            finite: count as u64,
            zeros: count as u64,
            min: 0.0,
            max: 0.0,
            ..Summary::default()
        }
    }

    /// Takes in more elements.
    #[inline]
    pub fn add(&mut self, values: &[f32]) {
        wide(
            #[inline(always)]
            || self.take_in(values),
        );
    }

    /// The same within a loop that is compiled for wide vectors already.
    #[inline(always)]
    pub(super) fn take_in(&mut self, values: &[f32]) {
        if self.count == 0 {
            self.shift = values.first().copied().map_or(0.0, centre);
        }
        let (mut sum, mut squares) = ([0.0_f64; LANES], [0.0_f64; LANES]);
        let (mut min, mut max) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
        let mut zeros = [0_u32; LANES];
        let shift = self.shift;
        for block in values.chunks(BLOCK) {
            let (mut s, mut q) = ([0.0_f32; LANES], [0.0_f32; LANES]);
            let (lanes, rest) = block.as_chunks::<LANES>();
            for chunk in lanes {
                for at in 0..LANES {
                    let value = chunk[at];
                    let centred = value - shift;
                    s[at] += centred;
                    q[at] += centred * centred;
                    min[at] = if value < min[at] { value } else { min[at] };
                    max[at] = if value > max[at] { value } else { max[at] };
                    zeros[at] += u32::from(value == 0.0);
                }
            }
            for (at, &value) in rest.iter().enumerate() {
                let centred = value - shift;
                s[at] += centred;
                q[at] += centred * centred;
                min[at] = if value < min[at] { value } else { min[at] };
                max[at] = if value > max[at] { value } else { max[at] };
                zeros[at] += u32::from(value == 0.0);
            }
            for at in 0..LANES {
                sum[at] += f64::from(s[at]);
                squares[at] += f64::from(q[at]);
            }
        }
        let squares = joined(squares, |a, b| a + b);
        // A NaN or infinity among the values, or squares beyond single precision.
        if !squares.is_finite() {
            self.take_in_carefully(values);
            return;
        }
        let least = |a: f32, b: f32| if b < a { b } else { a };
        let most = |a: f32, b: f32| if b > a { b } else { a };
        self.sum += joined(sum, |a, b| a + b);
        self.squares += squares;
        self.min = least(self.min, joined(min, least));
        self.max = most(self.max, joined(max, most));
        self.zeros += u64::from(joined(zeros, |a, b| a + b));
        self.count += values.len() as u64;
        self.finite += values.len() as u64;
    }

    /// In double precision, the finite ones among the values.
    #[cold]
    #[inline(never)]
    fn take_in_carefully(&mut self, values: &[f32]) {
        for (at, &value) in values.iter().enumerate() {
            if !value.is_finite() {
                let place = usize::try_from(self.count).unwrap_or(usize::MAX) + at;
                self.broken = self.broken.or(Some((place, value)));
                self.nans += u64::from(value.is_nan());
                self.infs += u64::from(value.is_infinite());
                continue;
            }
            let centred = f64::from(value) - f64::from(self.shift);
            self.sum += centred;
            self.squares += centred * centred;
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            self.zeros += u64::from(value == 0.0);
            self.finite += 1;
        }
        self.count += values.len() as u64;
    }

    /// The first element that is not finite: where and what.
    pub fn broken(&self) -> Option<(usize, f32)> {
        self.broken
    }

    /// Writes down the statistics, from `count` to `infs`; the others are NaN.
    pub fn write(&self, stats: &mut [f64; WIDTH]) {
        stats.fill(f64::NAN);
        stats[Stat::Count as usize] = self.count as f64;
        stats[Stat::Zeros as usize] = self.zeros as f64;
        stats[Stat::Nans as usize] = self.nans as f64;
        stats[Stat::Infs as usize] = self.infs as f64;
        if self.finite > 0 {
            let finite = self.finite as f64;
            let offset = self.sum / finite;
            let variance = (self.squares / finite - offset * offset).max(0.0);
            let mean = f64::from(self.shift) + offset;
            moments(stats, mean, variance, (self.min, self.max), finite);
        }
    }
}

/// From `mean` to `l2`.
pub(super) fn moments(
    stats: &mut [f64; WIDTH],
    mean: f64,
    variance: f64,
    (min, max): (f32, f32),
    finite: f64,
) {
    stats[Stat::Mean as usize] = mean;
    stats[Stat::Std as usize] = variance.sqrt();
    stats[Stat::Min as usize] = f64::from(min);
    stats[Stat::Max as usize] = f64::from(max);
    stats[Stat::AbsMax as usize] = f64::from(min.abs().max(max.abs()));
    stats[Stat::L2 as usize] = (finite * (variance + mean * mean)).sqrt();
}

/// The lanes joined in halves, which vector instructions can do.
#[inline(always)]
pub(super) fn joined<T: Copy, const N: usize>(mut lanes: [T; N], join: impl Fn(T, T) -> T) -> T {
    let mut width = N / 2;
    while width > 0 {
        for at in 0..width {
            lanes[at] = join(lanes[at], lanes[at + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// Statistics of a weight, gradient or update.
pub fn of_tensor(values: &[f32]) -> [f64; WIDTH] {
    let mut stats = [f64::NAN; WIDTH];
    write_tensor(values, &mut stats);
    stats
}

/// Writes them down.
pub(super) fn write_tensor(values: &[f32], stats: &mut [f64; WIDTH]) {
    let mut summary = Summary::default();
    summary.add(values);
    summary.write(stats);
    Places::default().fill(values, stats);
}
