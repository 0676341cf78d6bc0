//! Statistics of tensors over their finite values, as docs/trace-protocol.md names them.

use trace::Stat;

use super::{WIDTH, histogram};
use crate::View;
use crate::native::wide;
use crate::tensor::around;

/// From this on sigmoid and tanh are flat.
const FLAT_FROM: f32 = 5.0;
/// Share of its size that a unit may vary and still count as constant.
const CONSTANT: f32 = 1e-6;
/// Elements summed in single precision before going over to double; a multiple of the lanes.
const BLOCK: usize = 256;
const LANES: usize = 16;

/// What one pass over the elements gives.
#[derive(Clone, Copy, Debug)]
struct Pass {
    sum: f64,
    squares: f64,
    min: f32,
    max: f32,
    zeros: u64,
    flat: u64,
    finite: bool,
}

/// One pass in lanes the compiler turns into vector instructions. Sums are taken about `shift`.
fn pass(values: &[f32], shift: f32, flat: bool) -> Pass {
    wide(
        #[inline(always)]
        || lanes(values, shift, flat),
    )
}

#[inline(always)]
fn lanes(values: &[f32], shift: f32, flat: bool) -> Pass {
    let (mut sum, mut squares) = (0.0_f64, 0.0_f64);
    let (mut min, mut max) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    let (mut zeros, mut steep) = (0_u64, 0_u64);
    for block in values.chunks(BLOCK) {
        let (mut s, mut q) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        let (mut z, mut f) = ([0_u32; LANES], [0_u32; LANES]);
        let lanes = block.chunks_exact(LANES);
        let rest = lanes.remainder();
        for chunk in lanes {
            for at in 0..LANES {
                let value = chunk[at];
                let centred = value - shift;
                s[at] += centred;
                q[at] += centred * centred;
                min[at] = if value < min[at] { value } else { min[at] };
                max[at] = if value > max[at] { value } else { max[at] };
                z[at] += u32::from(value == 0.0);
                if flat {
                    f[at] += u32::from(value.abs() >= FLAT_FROM);
                }
            }
        }
        for &value in rest {
            let centred = value - shift;
            s[0] += centred;
            q[0] += centred * centred;
            min[0] = min[0].min(value);
            max[0] = max[0].max(value);
            z[0] += u32::from(value == 0.0);
            f[0] += u32::from(flat && value.abs() >= FLAT_FROM);
        }
        sum += f64::from(s.iter().sum::<f32>());
        squares += q.iter().map(|&q| f64::from(q)).sum::<f64>();
        zeros += u64::from(z.iter().sum::<u32>());
        steep += u64::from(f.iter().sum::<u32>());
    }
    Pass {
        sum,
        squares,
        min: min.into_iter().fold(f32::INFINITY, f32::min),
        max: max.into_iter().fold(f32::NEG_INFINITY, f32::max),
        zeros,
        flat: steep,
        // A NaN or infinity among the values, or squares beyond single precision, make this so.
        finite: squares.is_finite(),
    }
}

/// From `count` to `infs`, and the elements in the flat part.
fn elements(values: &[f32], flat: bool) -> ([f64; WIDTH], u64) {
    let mut stats = [f64::NAN; WIDTH];
    let count = values.len() as f64;
    stats[Stat::Count as usize] = count;
    for stat in [Stat::Zeros, Stat::Nans, Stat::Infs] {
        stats[stat as usize] = 0.0;
    }
    if values.is_empty() {
        return (stats, 0);
    }
    // About a value among them, so that a small spread around a large mean is not lost.
    let shift = if values[0].is_finite() && values[0].abs() < 1e15 {
        values[0]
    } else {
        0.0
    };
    let found = pass(values, shift, flat);
    if !found.finite {
        return (with_gaps(values, stats), found.flat);
    }
    let offset = found.sum / count;
    let mean = f64::from(shift) + offset;
    let variance = (found.squares / count - offset * offset).max(0.0);
    summary(&mut stats, mean, variance, found.min, found.max, count);
    stats[Stat::Zeros as usize] = found.zeros as f64;
    histogram::fill(values, &mut stats);
    (stats, found.flat)
}

fn summary(stats: &mut [f64; WIDTH], mean: f64, variance: f64, min: f32, max: f32, finite: f64) {
    stats[Stat::Mean as usize] = mean;
    stats[Stat::Std as usize] = variance.sqrt();
    stats[Stat::Min as usize] = f64::from(min);
    stats[Stat::Max as usize] = f64::from(max);
    stats[Stat::AbsMax as usize] = f64::from(min.abs().max(max.abs()));
    stats[Stat::L2 as usize] = (finite * (variance + mean * mean)).sqrt();
}

/// The same in double precision over the finite ones among the values.
fn with_gaps(values: &[f32], mut stats: [f64; WIDTH]) -> [f64; WIDTH] {
    let nans = values.iter().filter(|value| value.is_nan()).count();
    let infs = values.iter().filter(|value| value.is_infinite()).count();
    stats[Stat::Nans as usize] = nans as f64;
    stats[Stat::Infs as usize] = infs as f64;
    let finite = (values.len() - nans - infs) as f64;
    if finite == 0.0 {
        return stats;
    }
    let whole = || values.iter().copied().filter(|value| value.is_finite());
    let mean = whole().map(f64::from).sum::<f64>() / finite;
    let variance = whole()
        .map(|value| (f64::from(value) - mean).powi(2))
        .sum::<f64>()
        / finite;
    let (min, max) = whole().fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), value| {
        (min.min(value), max.max(value))
    });
    summary(&mut stats, mean, variance, min, max, finite);
    stats[Stat::Zeros as usize] = whole().filter(|&value| value == 0.0).count() as f64;
    histogram::fill(values, &mut stats);
    stats
}

/// Statistics of a weight, gradient or update.
pub fn of_tensor(values: &[f32]) -> [f64; WIDTH] {
    elements(values, false).0
}

/// Takes one sample into the extremes and sums of each output.
#[inline(always)]
fn by_output(
    row: &[f32],
    shifts: &[f32],
    (low, high): (&mut [f32], &mut [f32]),
    (sums, squares): (&mut [f32], &mut [f32]),
) {
    let outputs = low.iter_mut().zip(high).zip(sums.iter_mut().zip(squares));
    for (((low, high), (sum, square)), (&value, &shift)) in outputs.zip(row.iter().zip(shifts)) {
        *low = if value < *low { value } else { *low };
        *high = if value > *high { value } else { *high };
        let centred = value - shift;
        *sum += centred;
        *square += centred * centred;
    }
}

/// Statistics of a layer's output or of the gradient at it, whose units lie along `axis`.
pub fn of_output(tensor: View<'_>, axis: isize, activation: Option<&str>) -> [f64; WIDTH] {
    let (shape, values) = (tensor.shape, tensor.data);
    if shape.len() < 2 || values.is_empty() {
        return of_tensor(values);
    }
    let saturating = matches!(activation, Some("sigmoid" | "tanh"));
    let (mut stats, flat) = elements(values, saturating);
    let samples = shape[0];
    let each = values.len() / samples;
    let axis = usize::try_from(axis)
        .unwrap_or(shape.len() - 1)
        .min(shape.len() - 1);
    let (_, units, after) = around(&shape[1..], axis.saturating_sub(1));
    let mut low = vec![f32::INFINITY; each];
    let mut high = vec![f32::NEG_INFINITY; each];
    let mut sums = vec![0.0_f32; each];
    let mut squares = vec![0.0_f32; each];
    let first = &values[..each];
    wide(
        #[inline(always)]
        || {
            for row in values.chunks_exact(each) {
                by_output(row, first, (&mut low, &mut high), (&mut sums, &mut squares));
            }
        },
    );
    let mut spread = 0.0_f64;
    for (&sum, &square) in sums.iter().zip(&squares) {
        let mean = sum / samples as f32;
        spread += f64::from((square / samples as f32 - mean * mean).max(0.0).sqrt());
        // `max` swallows a NaN.
        if square.is_nan() {
            spread = f64::NAN;
        }
    }
    // The squares are beyond single precision.
    if !spread.is_finite() && stats[Stat::Nans as usize] == 0.0 && stats[Stat::Infs as usize] == 0.0 {
        spread = wide_spread(values, each);
    }
    let mut unit_low = vec![f32::INFINITY; units];
    let mut unit_high = vec![f32::NEG_INFINITY; units];
    for (place, (&low, &high)) in low.iter().zip(&high).enumerate() {
        let unit = place / after.max(1) % units.max(1);
        unit_low[unit] = unit_low[unit].min(low);
        unit_high[unit] = unit_high[unit].max(high);
    }
    // A unit with a NaN is neither dead nor constant.
    if stats[Stat::Nans as usize] > 0.0 {
        for (at, value) in values.iter().enumerate() {
            if value.is_nan() {
                let unit = at % each / after.max(1) % units.max(1);
                (unit_low[unit], unit_high[unit]) = (f32::NAN, f32::NAN);
            }
        }
    }
    let ranges = || unit_low.iter().zip(&unit_high);
    let dead = ranges()
        .filter(|&(&low, &high)| low == 0.0 && high == 0.0)
        .count();
    let constant = ranges()
        .filter(|&(&low, &high)| high - low <= CONSTANT * low.abs().max(high.abs()).max(1.0))
        .count();
    let several = samples > 1;
    stats[Stat::Units as usize] = units as f64;
    stats[Stat::DeadUnits as usize] = dead as f64;
    stats[Stat::ConstantUnits as usize] = if several { constant as f64 } else { f64::NAN };
    stats[Stat::Saturated as usize] = if saturating {
        flat as f64 / values.len() as f64
    } else {
        f64::NAN
    };
    stats[Stat::Spread as usize] = if several { spread / each as f64 } else { f64::NAN };
    stats
}

/// The sum of the standard deviations over the samples, in double precision.
fn wide_spread(values: &[f32], each: usize) -> f64 {
    let samples = (values.len() / each.max(1)) as f64;
    let column = |place: usize| {
        values
            .iter()
            .skip(place)
            .step_by(each)
            .map(|&value| f64::from(value))
    };
    (0..each)
        .map(|place| {
            let mean = column(place).sum::<f64>() / samples;
            let square = column(place).map(|value| (value - mean).powi(2)).sum::<f64>();
            (square / samples).sqrt()
        })
        .sum()
}

/// Mean over all outputs of one sample of the standard deviation over the samples.
pub fn spread_over_samples(tensor: View<'_>) -> f64 {
    of_output(tensor, -1, None)[Stat::Spread as usize]
}
