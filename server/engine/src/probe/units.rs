//! Statistics of what a layer puts out, or of the gradient at it: also by unit, and over the samples.

use trace::Stat;

use super::WIDTH;
use super::histogram::Places;
use super::statistics::{BLOCK, centre, joined, moments, write_tensor};
use crate::View;
use crate::native::wide;
use crate::tensor::around;

/// From this on sigmoid and tanh are flat.
const FLAT_FROM: f32 = 5.0;
/// From this many elements on a tensor is expected to have left the nearer caches.
const FAR: usize = 1 << 15;
/// Share of its size that a unit may vary and still count as constant.
const CONSTANT: f32 = 1e-6;

/// Extremes of each output of a sample, over the samples. Keeps its allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extremes {
    low: Vec<f32>,
    high: Vec<f32>,
    /// Both of a second tensor.
    again: Vec<f32>,
    places: Places,
}

impl Extremes {
    fn resize(&mut self, each: usize) {
        self.low.resize(each, 0.0);
        self.high.resize(each, 0.0);
    }
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
    extremes.resize(values.len() / shape[0]);
    let shift = centre(values[0]);
    let [totals, _] = wide(
        #[inline(always)]
        || all_columns::<false>(values, [shift, 0.0], extremes),
    );
    write_totals(tensor, (axis, activation), (shift, totals), extremes, stats);
}

/// The same of a value and of its ReLU, whose numbers are computed while the value is read: what is large has left the
/// caches, and is read once only.
pub(super) fn write_rectified(
    (before, after): (View<'_>, View<'_>),
    axis: isize,
    extremes: &mut Extremes,
    stats: (&mut [f64; WIDTH], &mut [f64; WIDTH]),
) {
    let (shape, values) = (before.shape, before.data);
    if shape.len() < 2 || values.is_empty() || after.shape != shape {
        write_output(before, axis, None, extremes, stats.0);
        write_output(after, axis, None, extremes, stats.1);
        return;
    }
    extremes.resize(values.len() / shape[0]);
    let shifts = [centre(values[0]), centre(rectified(values[0]))];
    let totals = wide(
        #[inline(always)]
        || all_columns::<true>(values, shifts, extremes),
    );
    // The first may join units in place, which the second has to do anew.
    let Extremes { low, high, again, .. } = extremes;
    let mut second = std::mem::take(again);
    second.clear();
    second.extend(low.iter().chain(high.iter()).map(|&value| rectified(value)));
    write_totals(before, (axis, None), (shifts[0], totals[0]), extremes, stats.0);
    let each = values.len() / shape[0];
    extremes.resize(each);
    extremes.low.copy_from_slice(&second[..each]);
    extremes.high.copy_from_slice(&second[each..]);
    extremes.again = second;
    write_totals(after, (axis, None), (shifts[1], totals[1]), extremes, stats.1);
}

#[inline(always)]
fn rectified(value: f32) -> f32 {
    if value < 0.0 { 0.0 } else { value }
}

/// Writes down the statistics that follow from sums about `shift` and from extremes.
fn write_totals(
    tensor: View<'_>,
    (axis, activation): (isize, Option<&str>),
    (shift, totals): (f32, Totals),
    extremes: &mut Extremes,
    stats: &mut [f64; WIDTH],
) {
    let (shape, values) = (tensor.shape, tensor.data);
    let samples = shape[0];
    let each = values.len() / samples;
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
    extremes.places.fill(values, stats);
}

/// All outputs of a sample, in groups that fit into vector registers; of the values, and if asked of their ReLU.
#[inline(always)]
fn all_columns<const RECTIFIED: bool>(
    values: &[f32],
    shifts: [f32; 2],
    extremes: &mut Extremes,
) -> [Totals; 2] {
    let mut totals = [Totals::default(); 2];
    let each = extremes.low.len();
    let mut from = 0;
    // Of a tensor beyond the caches, long pieces of each sample, which are fetched ahead; sums stay in the nearest cache.
    while values.len() >= FAR && from + 256 <= each {
        columns::<256, RECTIFIED>(values, from, shifts, extremes, &mut totals);
        from += 256;
    }
    while from + 32 <= each {
        columns::<32, RECTIFIED>(values, from, shifts, extremes, &mut totals);
        from += 32;
    }
    while from + 8 <= each {
        columns::<8, RECTIFIED>(values, from, shifts, extremes, &mut totals);
        from += 8;
    }
    while from < each {
        columns::<1, RECTIFIED>(values, from, shifts, extremes, &mut totals);
        from += 1;
    }
    totals
}

/// One pass over `N` neighbouring outputs of all samples. Sums are taken about those of the first sample.
#[inline(always)]
fn columns<const N: usize, const RECTIFIED: bool>(
    values: &[f32],
    from: usize,
    shifts: [f32; 2],
    extremes: &mut Extremes,
    totals: &mut [Totals; 2],
) {
    let each = extremes.low.len();
    let (mut first, mut second) = ([0.0_f32; N], [0.0_f32; N]);
    for (at, &value) in values[from..from + N].iter().enumerate() {
        first[at] = centre(value);
        if RECTIFIED {
            second[at] = centre(rectified(value));
        }
    }
    let (mut low, mut high) = ([f32::INFINITY; N], [f32::NEG_INFINITY; N]);
    let (mut zeros, mut zeros_after) = ([0_u32; N], [0_u32; N]);
    let (mut sums, mut sums_after) = (Sums::<N>::default(), Sums::<N>::default());
    let blocks = values.chunks(BLOCK * each);
    let several = blocks.len() > 1;
    for rows in blocks {
        let (mut s, mut q) = ([0.0_f32; N], [0.0_f32; N]);
        let (mut s_after, mut q_after) = ([0.0_f32; N], [0.0_f32; N]);
        let mut take = |at: usize, values: &[f32]| {
            let (mut sum, mut square) = (s[at], q[at]);
            let (mut sum_after, mut square_after) = (s_after[at], q_after[at]);
            let (mut least, mut most) = (low[at], high[at]);
            let (mut none, mut none_after) = (zeros[at], zeros_after[at]);
            for &value in values {
                let centred = value - first[at];
                sum += centred;
                square += centred * centred;
                least = if value < least { value } else { least };
                most = if value > most { value } else { most };
                none += u32::from(value == 0.0);
                if RECTIFIED {
                    let value = rectified(value);
                    let centred = value - second[at];
                    sum_after += centred;
                    square_after += centred * centred;
                    none_after += u32::from(value == 0.0);
                }
            }
            (s[at], q[at]) = (sum, square);
            (low[at], high[at], zeros[at]) = (least, most, none);
            if RECTIFIED {
                (s_after[at], q_after[at], zeros_after[at]) = (sum_after, square_after, none_after);
            }
        };
        // Several samples for each time that sums are fetched and put back.
        let mut groups = rows.chunks_exact(TOGETHER * each);
        for group in &mut groups {
            let row = |number: usize| &group[number * each + from..number * each + from + N];
            let (a, b, c, d) = (row(0), row(1), row(2), row(3));
            for at in 0..N {
                take(at, &[a[at], b[at], c[at], d[at]]);
            }
        }
        for row in groups.remainder().chunks_exact(each) {
            for (at, &value) in row[from..from + N].iter().enumerate() {
                take(at, &[value]);
            }
        }
        sums.add(&s, &q, several);
        if RECTIFIED {
            sums_after.add(&s_after, &q_after, several);
        }
    }
    extremes.low[from..from + N].copy_from_slice(&low);
    extremes.high[from..from + N].copy_from_slice(&high);
    let share = each as f64 / values.len() as f64;
    totals[0].add((&first, shifts[0]), &sums, &zeros, share);
    if RECTIFIED {
        totals[1].add((&second, shifts[1]), &sums_after, &zeros_after, share);
    }
}

/// Sums of `N` outputs over blocks of samples: of one block in single precision.
struct Sums<const N: usize> {
    one: ([f32; N], [f32; N]),
    several: Option<([f64; N], [f64; N])>,
}

impl<const N: usize> Default for Sums<N> {
    #[inline(always)]
    fn default() -> Self {
        Sums {
            one: ([0.0; N], [0.0; N]),
            several: None,
        }
    }
}

impl<const N: usize> Sums<N> {
    #[inline(always)]
    fn add(&mut self, sums: &[f32; N], squares: &[f32; N], several: bool) {
        if !several {
            self.one = (*sums, *squares);
            return;
        }
        let (s, q) = self.several.get_or_insert(([0.0; N], [0.0; N]));
        for at in 0..N {
            s[at] += f64::from(sums[at]);
            q[at] += f64::from(squares[at]);
        }
    }
}

/// Samples that are read at once.
const TOGETHER: usize = 4;
/// Outputs whose numbers are added up side by side.
const SIDE: usize = 8;

impl Totals {
    /// Takes in `N` outputs: sums over the samples about `first`, and the share of one sample.
    #[inline(always)]
    fn add<const N: usize>(
        &mut self,
        (first, shift): (&[f32; N], f32),
        sums: &Sums<N>,
        zeros: &[u32; N],
        share: f64,
    ) {
        match &sums.several {
            None => {
                let (s, q) = &sums.one;
                self.take_in::<N>(first, shift, share, |at| (f64::from(s[at]), f64::from(q[at])));
            }
            Some((s, q)) => self.take_in::<N>(first, shift, share, |at| (s[at], q[at])),
        }
        self.zeros += u64::from(zeros.iter().sum::<u32>());
    }

    #[inline(always)]
    fn take_in<const N: usize>(
        &mut self,
        first: &[f32; N],
        shift: f32,
        share: f64,
        sums: impl Fn(usize) -> (f64, f64),
    ) {
        let (mut within, mut spread) = ([0.0_f64; SIDE], [0.0_f64; SIDE]);
        let (mut means, mut squares) = ([0.0_f64; SIDE], [0.0_f64; SIDE]);
        let mut one = |at: usize, side: usize| {
            let (sum, square) = sums(at);
            let offset = sum * share;
            let variance = square * share - offset * offset;
            // Not `max`, which swallows a NaN.
            let variance = if variance < 0.0 { 0.0 } else { variance };
            #[allow(clippy::cast_possible_truncation)]
            let single = variance as f32;
            let mean = f64::from(first[at]) - f64::from(shift) + offset;
            within[side] += variance;
            spread[side] += f64::from(single.sqrt());
            means[side] += mean;
            squares[side] += mean * mean;
        };
        let whole = N / SIDE * SIDE;
        for at in (0..whole).step_by(SIDE) {
            for side in 0..SIDE {
                one(at + side, side);
            }
        }
        for at in whole..N {
            one(at, 0);
        }
        let add = |a: f64, b: f64| a + b;
        self.within += joined(within, add);
        self.spread += joined(spread, add);
        self.means += joined(means, add);
        self.squares += joined(squares, add);
    }
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
    let Extremes { low, high, .. } = extremes;
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
    let (dead, constant, flat) = wide(
        #[inline(always)]
        || {
            let (mut dead, mut constant, mut flat) = (0_u32, 0_u32, 0_u32);
            for (&low, &high) in low.iter().zip(high) {
                dead += u32::from((low == 0.0) & (high == 0.0));
                let size = low.abs().max(high.abs()).max(1.0);
                constant += u32::from(high - low <= CONSTANT * size);
                flat += u32::from((low >= FLAT_FROM) | (high <= -FLAT_FROM));
            }
            (dead, constant, flat)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Both of a tensor, one after the other, and in one pass.
    fn rows(shape: &[usize], spoil: impl Fn(usize, f32) -> f32) -> [[[f64; WIDTH]; 2]; 2] {
        let mut rng = fastrand::Rng::with_seed(3);
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|at| spoil(at, rng.f32() - 0.6)).collect();
        let after: Vec<f32> = values.iter().map(|&value| rectified(value)).collect();
        let view = |data| View { shape, data };
        let mut both = [[0.0; WIDTH]; 2];
        let [first, second] = &mut both;
        let mut extremes = Extremes::default();
        write_rectified((view(&values), view(&after)), -1, &mut extremes, (first, second));
        let alone = [&values, &after].map(|values| of_output(view(values), -1, None));
        [alone, both]
    }

    #[test]
    fn a_value_and_its_relu_are_as_each_alone() {
        // Of few and many outputs, in one and in several blocks of samples, and with samples left over.
        for shape in [
            vec![9, 3],
            vec![300, 5],
            vec![32, 26, 26, 4],
            vec![270, 40, 7],
            vec![1, 6],
        ] {
            for (name, spoil) in [
                ("plain", (|_, x| x) as fn(usize, f32) -> f32),
                ("with a NaN", |at, x| if at == 4 { f32::NAN } else { x }),
                ("infinite", |at, x| if at == 2 { f32::NEG_INFINITY } else { x }),
                ("huge", |at, x| if at == 5 { 1e30 } else { x }),
                ("dead", |_, x| -x.abs()),
            ] {
                let [alone, both] = rows(&shape, spoil);
                for (which, (alone, both)) in alone.iter().zip(&both).enumerate() {
                    for (at, (alone, both)) in alone.iter().zip(both).enumerate() {
                        let same = alone == both || alone.is_nan() && both.is_nan();
                        assert!(
                            same,
                            "{shape:?} {name}, row {which}, number {at}: {both} instead of {alone}"
                        );
                    }
                }
            }
        }
    }
}
