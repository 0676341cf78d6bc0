//! Statistics of what a layer puts out, or of the gradient at it: also by unit, and over the samples.

use trace::Stat;

use super::WIDTH;
use super::statistics::{BLOCK, centre, joined, moments, write_tensor};
use crate::View;
use crate::native::wide;
use crate::tensor::around;

/// From this on sigmoid and tanh are flat.
const FLAT_FROM: f32 = 5.0;
/// Share of its size that a unit may vary and still count as constant.
const CONSTANT: f32 = 1e-6;

/// Extremes of each output of a sample, over the samples. Keeps its allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extremes {
    low: Vec<f32>,
    high: Vec<f32>,
}

/// Sums over the outputs of one sample.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    /// Of the variances over the samples.
    within: f64,
    /// Of the standard deviations.
    spread: f64,
    /// Of the means, about the centre of the tensor, and of their squares.
    means: f64,
    squares: f64,
    zeros: u64,
}

/// Whether this activation has flat parts that the trace counts.
pub(super) fn is_saturating(activation: Option<&str>) -> bool {
    matches!(activation, Some("sigmoid" | "tanh"))
}

/// Statistics of a layer's output or of the gradient at it, whose units lie along `axis`.
pub fn of_output(tensor: View<'_>, axis: isize, activation: Option<&str>) -> [f64; WIDTH] {
    let mut stats = [f64::NAN; WIDTH];
    write_output(tensor, axis, activation, &mut Extremes::default(), &mut stats);
    stats
}

/// Writes them down.
pub(super) fn write_output(
    tensor: View<'_>,
    axis: isize,
    activation: Option<&str>,
    extremes: &mut Extremes,
    stats: &mut [f64; WIDTH],
) {
    let (shape, values) = (tensor.shape, tensor.data);
    if shape.len() < 2 || values.is_empty() {
        write_tensor(values, stats);
        return;
    }
    let samples = shape[0];
    let each = values.len() / samples;
    extremes.low.resize(each, 0.0);
    extremes.high.resize(each, 0.0);
    let shift = centre(values[0]);
    let totals = wide(
        #[inline(always)]
        || all_columns(values, shift, extremes),
    );
    let spread;
    // A NaN or infinity among the values, or squares beyond single precision, make it otherwise.
    if totals.within.is_finite() && totals.squares.is_finite() {
        stats.fill(f64::NAN);
        let outputs = each as f64;
        let offset = totals.means / outputs;
        let between = (totals.squares / outputs - offset * offset).max(0.0);
        let (mean, variance) = (f64::from(shift) + offset, totals.within / outputs + between);
        let (low, high) = wide(
            #[inline(always)]
            || (least(&extremes.low), most(&extremes.high)),
        );
        moments(stats, mean, variance, (low, high), values.len() as f64);
        stats[Stat::Count as usize] = values.len() as f64;
        stats[Stat::Zeros as usize] = totals.zeros as f64;
        stats[Stat::Nans as usize] = 0.0;
        stats[Stat::Infs as usize] = 0.0;
        spread = totals.spread / outputs;
    } else {
        write_tensor(values, stats);
        let whole = stats[Stat::Nans as usize] + stats[Stat::Infs as usize] == 0.0;
        spread = if whole {
            spread_in_double(values, each)
        } else {
            f64::NAN
        };
        extremes_with_gaps(values, extremes);
    }
    let axis = usize::try_from(axis)
        .unwrap_or(shape.len() - 1)
        .min(shape.len() - 1);
    let (_, units, after) = around(&shape[1..], axis.saturating_sub(1));
    let several = samples > 1;
    stats[Stat::Spread as usize] = if several { spread } else { f64::NAN };
    if is_saturating(activation) {
        let flat = values.iter().filter(|value| value.abs() >= FLAT_FROM).count();
        stats[Stat::Saturated as usize] = flat as f64 / values.len() as f64;
    }
    by_unit(
        stats,
        extremes,
        (units.max(1), after.max(1)),
        several,
        is_saturating(activation),
    );
}

/// All outputs of a sample, in groups that fit into vector registers.
#[inline(always)]
fn all_columns(values: &[f32], shift: f32, extremes: &mut Extremes) -> Totals {
    let mut totals = Totals::default();
    let each = extremes.low.len();
    let mut from = 0;
    while from + 32 <= each {
        columns::<32>(values, from, shift, extremes, &mut totals);
        from += 32;
    }
    while from + 8 <= each {
        columns::<8>(values, from, shift, extremes, &mut totals);
        from += 8;
    }
    while from < each {
        columns::<1>(values, from, shift, extremes, &mut totals);
        from += 1;
    }
    totals
}

/// One pass over `N` neighbouring outputs of all samples. Sums are taken about those of the first sample.
#[inline(always)]
fn columns<const N: usize>(
    values: &[f32],
    from: usize,
    shift: f32,
    extremes: &mut Extremes,
    totals: &mut Totals,
) {
    let each = extremes.low.len();
    let mut first = [0.0_f32; N];
    first.copy_from_slice(&values[from..from + N]);
    for first in &mut first {
        *first = centre(*first);
    }
    let (mut low, mut high) = ([f32::INFINITY; N], [f32::NEG_INFINITY; N]);
    let (mut sums, mut squares) = ([0.0_f64; N], [0.0_f64; N]);
    let mut zeros = [0_u32; N];
    for rows in values.chunks(BLOCK * each) {
        let (mut s, mut q) = ([0.0_f32; N], [0.0_f32; N]);
        for row in rows.chunks_exact(each) {
            let row = &row[from..from + N];
            for at in 0..N {
                let value = row[at];
                let centred = value - first[at];
                s[at] += centred;
                q[at] += centred * centred;
                low[at] = if value < low[at] { value } else { low[at] };
                high[at] = if value > high[at] { value } else { high[at] };
                zeros[at] += u32::from(value == 0.0);
            }
        }
        for at in 0..N {
            sums[at] += f64::from(s[at]);
            squares[at] += f64::from(q[at]);
        }
    }
    extremes.low[from..from + N].copy_from_slice(&low);
    extremes.high[from..from + N].copy_from_slice(&high);
    let share = each as f64 / values.len() as f64;
    let (mut variances, mut deviations) = ([0.0_f64; N], [0.0_f64; N]);
    let (mut means, mut mean_squares) = ([0.0_f64; N], [0.0_f64; N]);
    for at in 0..N {
        let offset = sums[at] * share;
        let variance = squares[at] * share - offset * offset;
        // Not `max`, which swallows a NaN.
        let variance = if variance < 0.0 { 0.0 } else { variance };
        variances[at] = variance;
        #[allow(clippy::cast_possible_truncation)]
        let single = variance as f32;
        deviations[at] = f64::from(single.sqrt());
        let mean = f64::from(first[at]) - f64::from(shift) + offset;
        means[at] = mean;
        mean_squares[at] = mean * mean;
    }
    let add = |a: f64, b: f64| a + b;
    totals.within += joined(variances, add);
    totals.spread += joined(deviations, add);
    totals.means += joined(means, add);
    totals.squares += joined(mean_squares, add);
    totals.zeros += u64::from(joined(zeros, |a, b| a + b));
}

#[inline(always)]
fn least(values: &[f32]) -> f32 {
    extreme(values, f32::INFINITY, |a, b| if b < a { b } else { a })
}

#[inline(always)]
fn most(values: &[f32]) -> f32 {
    extreme(values, f32::NEG_INFINITY, |a, b| if b > a { b } else { a })
}

#[inline(always)]
fn extreme(values: &[f32], start: f32, pick: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; 16];
    let (whole, rest) = values.as_chunks::<16>();
    for chunk in whole {
        for at in 0..16 {
            lanes[at] = pick(lanes[at], chunk[at]);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane = pick(*lane, value);
    }
    joined(lanes, pick)
}

/// The extremes where some values are NaN or infinite: those of an output with a NaN are NaN.
#[cold]
fn extremes_with_gaps(values: &[f32], extremes: &mut Extremes) {
    extremes.low.fill(f32::INFINITY);
    extremes.high.fill(f32::NEG_INFINITY);
    for row in values.chunks_exact(extremes.low.len()) {
        for ((low, high), &value) in extremes.low.iter_mut().zip(&mut extremes.high).zip(row) {
            *low = if value < *low || value.is_nan() {
                value
            } else {
                *low
            };
            *high = if value > *high || value.is_nan() {
                value
            } else {
                *high
            };
        }
    }
}

/// Dead, constant and saturated units. Units lie `after` outputs apart.
fn by_unit(
    stats: &mut [f64; WIDTH],
    extremes: &mut Extremes,
    (units, after): (usize, usize),
    several: bool,
    saturating: bool,
) {
    let Extremes { low, high } = extremes;
    if low.len() > units {
        wide(
            #[inline(always)]
            || {
                gather(low, units, after, |a, b| if b < a || b.is_nan() { b } else { a });
                gather(high, units, after, |a, b| if b > a || b.is_nan() { b } else { a });
            },
        );
    }
    let (low, high) = (&low[..units.min(low.len())], &high[..units.min(high.len())]);
    let (mut dead, mut constant, mut flat) = (0_u32, 0_u32, 0_u32);
    wide(
        #[inline(always)]
        || {
            for (&low, &high) in low.iter().zip(high) {
                dead += u32::from((low == 0.0) & (high == 0.0));
                let size = low.abs().max(high.abs()).max(1.0);
                constant += u32::from(high - low <= CONSTANT * size);
                flat += u32::from((low >= FLAT_FROM) | (high <= -FLAT_FROM));
            }
        },
    );
    stats[Stat::Units as usize] = units as f64;
    stats[Stat::DeadUnits as usize] = f64::from(dead);
    stats[Stat::ConstantUnits as usize] = if several { f64::from(constant) } else { f64::NAN };
    stats[Stat::SaturatedUnits as usize] = if saturating { f64::from(flat) } else { f64::NAN };
}

/// Joins the outputs of each unit, at the front.
#[inline(always)]
fn gather(values: &mut [f32], units: usize, after: usize, join: impl Fn(f32, f32) -> f32 + Copy) {
    if after == 1 {
        let (found, rest) = values.split_at_mut(units);
        for row in rest.chunks_exact(units) {
            for (found, &value) in found.iter_mut().zip(row) {
                *found = join(*found, value);
            }
        }
        return;
    }
    let mut found = vec![f32::NAN; units];
    for (at, row) in values.chunks_exact(after).enumerate() {
        let joined = row.iter().copied().reduce(join).unwrap_or(f32::NAN);
        let found = &mut found[at % units];
        *found = if at < units { joined } else { join(*found, joined) };
    }
    values[..units].copy_from_slice(&found);
}

/// Mean of the standard deviations over the samples, in double precision.
#[cold]
fn spread_in_double(values: &[f32], each: usize) -> f64 {
    let samples = (values.len() / each.max(1)) as f64;
    let column = |place: usize| {
        values
            .iter()
            .skip(place)
            .step_by(each)
            .map(|&value| f64::from(value))
    };
    let deviation = |place: usize| {
        let mean = column(place).sum::<f64>() / samples;
        let squares = column(place).map(|value| (value - mean).powi(2)).sum::<f64>();
        (squares / samples).sqrt()
    };
    (0..each).map(deviation).sum::<f64>() / each as f64
}

/// Mean over all outputs of one sample of the standard deviation over the samples.
pub fn spread_over_samples(tensor: View<'_>) -> f64 {
    of_output(tensor, -1, None)[Stat::Spread as usize]
}
