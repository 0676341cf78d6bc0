//! Layers that copy values to other places: padding, cropping, enlarging, permuting.

use super::Entry;
use super::geometry::axes_of;
use super::resize::{Method, Size, resize};
use crate::graph::{Call, Dim, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("ZeroPadding1D", padding),
    Entry::unmasked("ZeroPadding2D", padding),
    Entry::unmasked("ZeroPadding3D", padding),
    Entry::unmasked("Cropping1D", cropping),
    Entry::unmasked("Cropping2D", cropping),
    Entry::unmasked("Cropping3D", cropping),
    Entry::unmasked("UpSampling1D", enlarging),
    Entry::unmasked("UpSampling2D", enlarging),
    Entry::unmasked("UpSampling3D", enlarging),
    Entry::unmasked("Permute", permute),
];

/// What becomes of the axes of a sample.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// So many zeros before and after.
    Pad(Vec<(usize, usize)>),
    /// So many values away before and after.
    Crop(Vec<(usize, usize)>),
    /// Each value so many times.
    Repeat(Vec<usize>),
    /// In another order.
    Permute(Vec<usize>),
    /// This axis backwards.
    Reverse(usize),
    /// A part of each axis.
    Slice(Vec<Slice>),
}

/// Part of an axis, as Python's slices say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub start: Option<i64>,
    pub stop: Option<i64>,
    /// Not 0.
    pub step: i64,
}

impl Slice {
    pub const ALL: Slice = Slice {
        start: None,
        stop: None,
        step: 1,
    };

    /// The value at an index.
    pub fn one(index: i64) -> Self {
        Slice {
            start: Some(index),
            stop: Some(index.wrapping_add(1)).filter(|&stop| stop != 0),
            step: 1,
        }
    }

    /// Where it starts in an axis of that size, and how many values it takes.
    fn of(self, size: usize) -> Option<(i64, usize)> {
        let size = i64::try_from(size).ok()?;
        let (low, high) = if self.step > 0 { (0, size) } else { (-1, size - 1) };
        let within = |at: i64| (if at < 0 { at.saturating_add(size) } else { at }).clamp(low, high);
        let (from, to) = if self.step > 0 { (low, high) } else { (high, low) };
        let (start, stop) = (self.start.map_or(from, within), self.stop.map_or(to, within));
        let (long, step) = if self.step > 0 {
            (stop - start, self.step)
        } else {
            (start - stop, self.step.checked_neg()?)
        };
        let count = usize::try_from(long.max(0))
            .ok()?
            .div_ceil(usize::try_from(step).ok()?);
        (count > 0).then_some((start, count))
    }
}

/// No source: a zero.
const NOWHERE: u32 = u32::MAX;

impl Rule {
    /// Shape of a sample afterwards; `None` when it does not fit.
    fn shape(&self, x: &[usize]) -> Option<Vec<usize>> {
        let each = |change: &dyn Fn(usize, usize) -> Option<usize>| -> Option<Vec<usize>> {
            x.iter()
                .enumerate()
                .map(|(axis, &size)| change(axis, size))
                .collect()
        };
        match self {
            Rule::Pad(margins) => each(&|axis, size| match margins.get(axis) {
                Some((before, after)) => size.checked_add(before + after),
                None => Some(size),
            }),
            Rule::Crop(margins) => each(&|axis, size| match margins.get(axis) {
                Some((before, after)) => size.checked_sub(before + after).filter(|&left| left > 0),
                None => Some(size),
            }),
            Rule::Repeat(times) => {
                each(&|axis, size| size.checked_mul(times.get(axis).copied().unwrap_or(1)))
            }
            Rule::Permute(order) => order.iter().map(|&axis| x.get(axis).copied()).collect(),
            Rule::Reverse(_) => Some(x.to_vec()),
            Rule::Slice(slices) => each(&|axis, size| match slices.get(axis) {
                Some(slice) => slice.of(size).map(|(_, count)| count),
                None => Some(size),
            }),
        }
    }

    /// Where the value at an index comes from; `from` is filled in.
    fn source(&self, x: &[usize], to: &[usize], from: &mut [usize]) -> bool {
        match self {
            Rule::Pad(margins) => {
                for axis in 0..x.len() {
                    let before = margins.get(axis).map_or(0, |margin| margin.0);
                    match to[axis].checked_sub(before) {
                        Some(at) if at < x[axis] => from[axis] = at,
                        _ => return false,
                    }
                }
            }
            Rule::Crop(margins) => {
                for axis in 0..x.len() {
                    from[axis] = to[axis] + margins.get(axis).map_or(0, |margin| margin.0);
                }
            }
            Rule::Repeat(times) => {
                for axis in 0..x.len() {
                    from[axis] = to[axis] / times.get(axis).copied().unwrap_or(1);
                }
            }
            Rule::Permute(order) => {
                for (axis, &source) in order.iter().enumerate() {
                    from[source] = to[axis];
                }
            }
            Rule::Reverse(reversed) => {
                from.copy_from_slice(to);
                from[*reversed] = x[*reversed] - 1 - to[*reversed];
            }
            Rule::Slice(slices) => {
                from.copy_from_slice(to);
                for (axis, slice) in slices.iter().enumerate() {
                    let start = slice.of(x[axis]).map_or(0, |(start, _)| start);
                    let at = start + slice.step * i64::try_from(to[axis]).unwrap_or(0);
                    from[axis] = usize::try_from(at).unwrap_or(0);
                }
            }
        }
        true
    }
}

pub(super) fn gather(call: &mut Call<'_>, x: &Sym, rule: Rule) -> Result<Sym, Unsupported> {
    // Open sizes are stood in for by one that is large enough for any cropping.
    let stand_in: Vec<usize> = x.shape[1..].iter().map(|size| size.unwrap_or(1 << 20)).collect();
    let after = rule
        .shape(&stand_in)
        .ok_or_else(|| call.unsupported("its margins do not fit the input"))?;
    let mut shape: Vec<Dim> = vec![None];
    for (axis, &size) in after.iter().enumerate() {
        let source = match &rule {
            Rule::Permute(order) => order[axis],
            _ => axis,
        };
        // A single value is one, however long the axis.
        let single = matches!(&rule, Rule::Slice(slices) if slices.get(axis).is_some_and(|slice| {
            slice.start.is_some_and(|start| *slice == Slice::one(start))
        }));
        shape.push(x.shape[source + 1].map_or(single.then_some(1), |_| Some(size)));
    }
    let op = Gather {
        rule,
        sample: Vec::new(),
        sources: Vec::new(),
    };
    Ok(call.builder.op(op, &[x], shape))
}

fn margins(call: &Call<'_>, key: &str) -> Result<(Sym, Vec<(usize, usize)>), Unsupported> {
    let axes = axes_of(call.class);
    let x = call.input()?;
    if call.config.text("data_format", "channels_last")? != "channels_last" {
        return Err(call.config.not("data_format"));
    }
    if x.rank() != axes + 2 {
        return Err(call.unsupported(format!("an input of {} axes", x.rank())));
    }
    Ok((x, call.config.margins(key, axes)?))
}

fn padding(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let (x, margins) = margins(call, "padding")?;
    Ok(vec![gather(call, &x, Rule::Pad(margins))?])
}

fn cropping(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let (x, margins) = margins(call, "cropping")?;
    Ok(vec![gather(call, &x, Rule::Crop(margins))?])
}

fn enlarging(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let axes = axes_of(call.class);
    let x = call.input()?;
    if call.config.text("data_format", "channels_last")? != "channels_last" {
        return Err(call.config.not("data_format"));
    }
    if x.rank() != axes + 2 {
        return Err(call.unsupported(format!("an input of {} axes", x.rank())));
    }
    let times = call.config.sizes("size", axes, 2)?;
    let interpolation = call.config.text("interpolation", "nearest")?;
    if interpolation != "nearest" {
        let method = Method::named(interpolation).ok_or_else(|| call.config.not("interpolation"))?;
        let &[down, across] = times.as_slice() else {
            return Err(call.config.not("interpolation"));
        };
        return Ok(vec![resize(call, &x, method, Size::Times([down, across]))]);
    }
    Ok(vec![gather(call, &x, Rule::Repeat(times))?])
}

/// The axes of an input in another order; the samples stay in front.
pub(super) fn reordered(call: &mut Call<'_>, x: &Sym, order: &[usize]) -> Result<Sym, Unsupported> {
    let inner = order.iter().skip(1).map(|axis| axis.wrapping_sub(1)).collect();
    let y = gather(call, x, Rule::Permute(inner))?;
    Ok(Sym { mask: x.mask, ..y })
}

/// The order that undoes one.
pub(super) fn undone(order: &[usize]) -> Vec<usize> {
    let mut back = vec![0; order.len()];
    for (place, &axis) in order.iter().enumerate() {
        back[axis] = place;
    }
    back
}

/// Of an input whose channels come first: the order that puts them last.
fn order_of(call: &Call<'_>, rank: usize) -> Vec<usize> {
    // Behind the time steps of a sequence of images.
    let at = if call.class.starts_with("ConvLSTM") { 2 } else { 1 };
    (0..rank).filter(|&axis| axis != at).chain([at]).collect()
}

/// Puts the channels of the inputs last, where they come first.
pub(crate) fn channels_last(call: &mut Call<'_>) -> Result<(), Unsupported> {
    for x in std::mem::take(&mut call.inputs) {
        let order = order_of(call, x.rank());
        let x = if x.rank() < 3 {
            x
        } else {
            reordered(call, &x, &order)?
        };
        call.inputs.push(x);
    }
    Ok(())
}

/// Puts the channels of the outputs where they were, also before an activation.
pub(crate) fn channels_back(call: &mut Call<'_>, outputs: &mut [Sym]) -> Result<(), Unsupported> {
    for (at, output) in outputs.iter_mut().enumerate() {
        if output.rank() < 3 {
            continue;
        }
        // Keras on TensorFlow takes the last axis for that of the bias where it has the same size.
        let (wide, channels) = (output.shape[output.rank() - 2], output.shape[output.rank() - 1]);
        let biased = call
            .config
            .get("filters")
            .or(call.config.get("depth_multiplier"))
            .is_some()
            && call.config.flag("use_bias", true)?
            && !call.class.starts_with("ConvLSTM");
        if biased && channels != Some(1) && (wide == channels || wide.is_none()) {
            return Err(call.unsupported("channels first, as many as the image is wide, with a bias"));
        }
        // States and last outputs of a sequence have no time steps.
        let sequence = call.class.starts_with("ConvLSTM") && output.rank() == axes_of(call.class) + 3;
        let place = 1 + usize::from(sequence);
        let order: Vec<usize> = (0..output.rank())
            .filter(|&axis| axis != place)
            .chain([place])
            .collect();
        let y = reordered(call, output, &undone(&order))?;
        if at == 0 {
            call.unit_axis = place as isize;
            call.before = match call.before {
                Some(before) if before == output.id => Some(y.id),
                Some(before) => {
                    let before = Sym {
                        id: before,
                        ..output.clone()
                    };
                    Some(reordered(call, &before, &undone(&order))?.id)
                }
                None => None,
            };
        }
        *output = Sym { logits: None, ..y };
    }
    Ok(())
}

fn permute(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let dims = call.config.sizes("dims", x.rank() - 1, 0)?;
    let order: Vec<usize> = dims.iter().map(|axis| axis.wrapping_sub(1)).collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..order.len()).collect::<Vec<_>>() {
        return Err(call.config.not("dims"));
    }
    Ok(vec![gather(call, &x, Rule::Permute(order))?])
}

struct Gather {
    rule: Rule,
    /// Shape of a sample for which the sources are known.
    sample: Vec<usize>,
    sources: Vec<u32>,
}

impl Gather {
    fn plan(&mut self, sample: &[usize], after: &[usize]) {
        if self.sample == sample && !self.sources.is_empty() {
            return;
        }
        self.sample = sample.to_vec();
        self.sources.clear();
        let count: usize = after.iter().product();
        let (mut to, mut from) = (vec![0; after.len()], vec![0; sample.len()]);
        for index in 0..count {
            let mut rest = index;
            for axis in (0..after.len()).rev() {
                to[axis] = rest % after[axis];
                rest /= after[axis];
            }
            self.sources.push(if self.rule.source(sample, &to, &mut from) {
                from.iter()
                    .zip(sample)
                    .fold(0, |at, (&index, &size)| at * size + index) as u32
            } else {
                NOWHERE
            });
        }
    }
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        let sample = x.shape().get(1..).unwrap_or_default();
        let after = self
            .rule
            .shape(sample)
            .ok_or_else(|| EngineError::shape("gather", format!("an input of shape {:?}", x.shape())))?;
        self.plan(sample, &after);
        let mut shape = vec![x.dim(0)];
        shape.extend(after);
        y.resize(&shape)?;
        let each: usize = sample.iter().product();
        for (y, x) in y
            .data_mut()
            .chunks_exact_mut(self.sources.len().max(1))
            .zip(x.data().chunks_exact(each.max(1)))
        {
            for (y, &source) in y.iter_mut().zip(&self.sources) {
                *y = if source == NOWHERE {
                    0.0
                } else {
                    x[source as usize]
                };
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let each = ins[0].len() / ins[0].dim(0).max(1);
        let samples = gouts[0].data().chunks_exact(self.sources.len().max(1));
        for (gx, gy) in gin.data_mut().chunks_exact_mut(each.max(1)).zip(samples) {
            for (&gy, &source) in gy.iter().zip(&self.sources) {
                if source != NOWHERE {
                    gx[source as usize] += gy;
                }
            }
        }
        Ok(())
    }
}
