//! Layers that normalise: over the batch, over the features, over groups.

use super::Entry;
use crate::graph::{Call, ParamId, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::tensor::around;
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::new("BatchNormalization", batch_normalization),
    Entry::new("LayerNormalization", layer_normalization),
    Entry::new("GroupNormalization", group_normalization),
    Entry::new("RMSNormalization", rms_normalization),
];

fn batch_normalization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let axis = call.config.int("axis", -1)?;
    let axis = x
        .axis(axis)
        .filter(|&axis| axis > 0)
        .ok_or_else(|| call.config.not("axis"))?;
    let mask = x.mask;
    if mask.is_some() && axis + 1 != x.rank() {
        return Err(call.unsupported("a mask and an axis that is not the last"));
    }
    for key in ["synchronized", "renorm"] {
        call.config.only(key, &[false.into()])?;
    }
    let size = call.known(&x, axis)?;
    let gamma = optional(call, "scale", "gamma", size)?;
    let beta = optional(call, "center", "beta", size)?;
    let op = BatchNorm {
        axis,
        gamma,
        beta,
        mean: call.weight("moving_mean", &[size], false)?,
        variance: call.weight("moving_variance", &[size], false)?,
        momentum: call.config.f32("momentum", 0.99)?,
        epsilon: call.config.f32("epsilon", 1e-3)?,
        // A frozen layer is in inference, whatever the model does.
        training: if call.frozen { Some(false) } else { call.training },
        used: Vec::new(),
        scale: Vec::new(),
        batch: false,
    };
    let ids = std::iter::once(x.id).chain(mask).collect();
    let id = call.builder.op_ids(Box::new(op), ids, 1)[0];
    Ok(vec![Sym {
        id,
        logits: None,
        ..x
    }])
}

fn optional(
    call: &mut Call<'_>,
    flag: &str,
    name: &str,
    size: usize,
) -> Result<Option<ParamId>, Unsupported> {
    if call.config.flag(flag, true)? {
        Ok(Some(call.weight(name, &[size], true)?))
    } else {
        Ok(None)
    }
}

struct BatchNorm {
    axis: usize,
    gamma: Option<ParamId>,
    beta: Option<ParamId>,
    mean: ParamId,
    variance: ParamId,
    momentum: f32,
    epsilon: f32,
    training: Option<bool>,
    /// Means and reciprocal deviations in force.
    used: Vec<f32>,
    scale: Vec<f32>,
    /// Whether they are those of the batch.
    batch: bool,
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_normalization"
    }

    fn trains(&self) -> bool {
        self.gamma.is_some() || self.beta.is_some()
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        let (before, size, after) = around(x.shape(), self.axis);
        self.batch = self.training.unwrap_or(ctx.training);
        self.used.clear();
        self.scale.clear();
        if self.batch {
            let counts = Counted::of(ins, before * after);
            let count = counts.total;
            let mut sums = vec![0.0_f64; size];
            let mut squares = vec![0.0_f64; size];
            each(x.data(), (before, size, after), |unit, place, value| {
                sums[unit] += f64::from(value * counts.weight(place));
            });
            let means: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
            each(x.data(), (before, size, after), |unit, place, value| {
                let weight = f64::from(counts.weight(place));
                squares[unit] += weight * (f64::from(value) - means[unit]).powi(2);
            });
            for unit in 0..size {
                let variance = squares[unit] / count;
                self.used.push(means[unit] as f32);
                self.scale
                    .push((1.0 / (variance + f64::from(self.epsilon)).sqrt()) as f32);
                let keep = self.momentum;
                let mean = &mut ctx.params[self.mean].value[unit];
                *mean = *mean * keep + means[unit] as f32 * (1.0 - keep);
                let moving = &mut ctx.params[self.variance].value[unit];
                *moving = *moving * keep + variance as f32 * (1.0 - keep);
            }
        } else {
            self.used.extend_from_slice(&ctx.params[self.mean].value);
            let variances = &ctx.params[self.variance].value;
            self.scale.extend(
                variances
                    .iter()
                    .map(|variance| 1.0 / (variance + self.epsilon).sqrt()),
            );
        }
        y.resize(x.shape())?;
        let gamma = self.gamma.map(|id| ctx.params[id].value.as_slice());
        let beta = self.beta.map(|id| ctx.params[id].value.as_slice());
        let factors: Vec<(f32, f32)> = (0..size)
            .map(|unit| {
                let factor = self.scale[unit] * gamma.map_or(1.0, |gamma| gamma[unit]);
                (
                    factor,
                    beta.map_or(0.0, |beta| beta[unit]) - self.used[unit] * factor,
                )
            })
            .collect();
        let rows = y
            .data_mut()
            .chunks_exact_mut(after.max(1))
            .zip(x.data().chunks_exact(after.max(1)));
        if after == 1 {
            for (y, x) in y
                .data_mut()
                .chunks_exact_mut(size.max(1))
                .zip(x.data().chunks_exact(size.max(1)))
            {
                for ((y, &x), &(factor, shift)) in y.iter_mut().zip(x).zip(&factors) {
                    *y = x * factor + shift;
                }
            }
        } else {
            for (row, (y, x)) in rows.enumerate() {
                let (factor, shift) = factors[row % size];
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = x * factor + shift;
                }
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (x, gy) = (ins[0], gouts[0]);
        let sizes = around(x.shape(), self.axis);
        let (before, size, after) = sizes;
        let (mut sums, mut dots) = (vec![0.0_f64; size], vec![0.0_f64; size]);
        let (used, scale) = (&self.used, &self.scale);
        pairs(x.data(), gy.data(), sizes, |unit, x, g| {
            sums[unit] += f64::from(g);
            dots[unit] += f64::from(g * (x - used[unit]) * scale[unit]);
        });
        if let Some(beta) = self.beta {
            let gradient = ctx.params[beta].grad_mut();
            gradient
                .iter_mut()
                .zip(&sums)
                .for_each(|(g, &sum)| *g += sum as f32);
        }
        if let Some(gamma) = self.gamma {
            let gradient = ctx.params[gamma].grad_mut();
            gradient
                .iter_mut()
                .zip(&dots)
                .for_each(|(g, &dot)| *g += dot as f32);
        }
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let counts = Counted::of(ins, before * after);
        let count = counts.total as f32;
        let gamma = self.gamma.map(|id| ctx.params[id].value.as_slice());
        let values = x.data().iter().zip(gy.data());
        for (index, (gx, (&x, &g))) in gin.data_mut().iter_mut().zip(values).enumerate() {
            let unit = index / after.max(1) % size;
            let factor = scale[unit] * gamma.map_or(1.0, |gamma| gamma[unit]);
            *gx += if self.batch {
                let normal = (x - used[unit]) * scale[unit];
                let share = counts.weight(index / (size * after).max(1)) / count;
                factor * (g - (sums[unit] as f32 + normal * dots[unit] as f32) * share)
            } else {
                factor * g
            };
        }
        Ok(())
    }
}

/// Which places a statistic is taken over: all, or those where a mask is 1.
struct Counted<'a> {
    mask: Option<&'a [f32]>,
    total: f64,
}

impl<'a> Counted<'a> {
    /// Of an operation whose second input, if any, is the mask.
    fn of(ins: &[&'a Tensor], places: usize) -> Self {
        let mask = ins.get(1).map(|mask| mask.data());
        let total = match mask {
            // Keras adds an epsilon where there is a mask.
            Some(mask) => mask.iter().map(|&weight| f64::from(weight)).sum::<f64>() + 1e-7,
            None => places.max(1) as f64,
        };
        Counted { mask, total }
    }

    fn weight(&self, place: usize) -> f32 {
        self.mask
            .map_or(1.0, |mask| mask.get(place).copied().unwrap_or(0.0))
    }
}

fn each(values: &[f32], (_, size, after): (usize, usize, usize), mut visit: impl FnMut(usize, usize, f32)) {
    for (row, part) in values.chunks_exact(after.max(1)).enumerate() {
        for &value in part {
            visit(row % size, row / size, value);
        }
    }
}

fn pairs(
    a: &[f32],
    b: &[f32],
    (_, size, after): (usize, usize, usize),
    mut visit: impl FnMut(usize, f32, f32),
) {
    let parts = a.chunks_exact(after.max(1)).zip(b.chunks_exact(after.max(1)));
    for (row, (a, b)) in parts.enumerate() {
        for (&a, &b) in a.iter().zip(b) {
            visit(row % size, a, b);
        }
    }
}

/// The axes as the last ones of the input, in order; the only kind that is covered.
pub(super) fn trailing(call: &Call<'_>, x: &Sym) -> Result<usize, Unsupported> {
    let axes: Vec<i64> = match call.config.get("axis") {
        None => vec![-1],
        Some(serde_json::Value::Array(items)) => items.iter().filter_map(serde_json::Value::as_i64).collect(),
        Some(one) => one.as_i64().into_iter().collect(),
    };
    let mut axes: Vec<usize> = axes.iter().filter_map(|&axis| x.axis(axis)).collect();
    axes.sort_unstable();
    let from = axes.first().copied().ok_or_else(|| call.config.not("axis"))?;
    if from == 0 || axes != (from..x.rank()).collect::<Vec<_>>() {
        return Err(call.config.not("axis"));
    }
    Ok(from)
}

fn layer_normalization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let from = trailing(call, &x)?;
    let sizes: Vec<usize> = (from..x.rank())
        .map(|axis| call.known(&x, axis))
        .collect::<Result<_, _>>()?;
    let rms = call.config.flag("rms_scaling", false)?;
    if rms {
        return Err(call.config.not("rms_scaling"));
    }
    let gamma = if call.config.flag("scale", true)? {
        Some(call.weight("gamma", &sizes, true)?)
    } else {
        None
    };
    let beta = if call.config.flag("center", true)? {
        Some(call.weight("beta", &sizes, true)?)
    } else {
        None
    };
    let op = RowNorm {
        groups: Groups::Row(sizes.iter().product()),
        gamma,
        beta,
        epsilon: call.config.f32("epsilon", 1e-3)?,
        centred: true,
        statistics: Vec::new(),
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

fn rms_normalization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let from = trailing(call, &x)?;
    let sizes: Vec<usize> = (from..x.rank())
        .map(|axis| call.known(&x, axis))
        .collect::<Result<_, _>>()?;
    let op = RowNorm {
        groups: Groups::Row(sizes.iter().product()),
        gamma: Some(call.weight("scale", &sizes, true)?),
        beta: None,
        epsilon: call.config.f32("epsilon", 1e-6)?,
        centred: false,
        statistics: Vec::new(),
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

fn group_normalization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let last = x.rank() - 1;
    let axis = call.config.int("axis", -1)?;
    if x.axis(axis) != Some(last) {
        return Err(call.config.not("axis"));
    }
    let size = call.known(&x, last)?;
    let groups = match call.config.int("groups", 32)? {
        -1 => size,
        groups => usize::try_from(groups).map_err(|_| call.config.not("groups"))?,
    };
    if groups == 0 || !size.is_multiple_of(groups) {
        return Err(call.config.not("groups"));
    }
    let op = RowNorm {
        groups: Groups::Channels { size, groups },
        gamma: optional(call, "scale", "gamma", size)?,
        beta: optional(call, "center", "beta", size)?,
        epsilon: call.config.f32("epsilon", 1e-3)?,
        centred: true,
        statistics: Vec::new(),
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

/// What is normalised together.
#[derive(Clone, Copy)]
enum Groups {
    /// So many values in a row.
    Row(usize),
    /// Of each sample, the channels of a group at all places.
    Channels { size: usize, groups: usize },
}

struct RowNorm {
    groups: Groups,
    gamma: Option<ParamId>,
    beta: Option<ParamId>,
    epsilon: f32,
    centred: bool,
    /// Mean and reciprocal deviation of each group.
    statistics: Vec<(f32, f32)>,
}

impl RowNorm {
    /// Number of groups, and for an element its group and its weight.
    fn plan(&self, x: &Tensor) -> (usize, impl Fn(usize) -> (usize, usize) + use<>) {
        let each = x.len() / x.dim(0).max(1);
        let (groups, count) = match self.groups {
            Groups::Row(size) => (self.groups, x.len() / size.max(1)),
            Groups::Channels { groups, .. } => (self.groups, x.dim(0) * groups),
        };
        let find = move |index: usize| match groups {
            Groups::Row(size) => (index / size, index % size),
            Groups::Channels { size, groups } => {
                let channel = index % size;
                (index / each.max(1) * groups + channel / (size / groups), channel)
            }
        };
        (count, find)
    }
}

impl Op for RowNorm {
    fn name(&self) -> &'static str {
        "normalization"
    }

    fn trains(&self) -> bool {
        self.gamma.is_some() || self.beta.is_some()
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        let (count, find) = self.plan(x);
        let each = (x.len() / count.max(1)) as f64;
        let mut means = vec![0.0_f64; count];
        let mut squares = vec![0.0_f64; count];
        if self.centred {
            for (index, &value) in x.data().iter().enumerate() {
                means[find(index).0] += f64::from(value);
            }
            means.iter_mut().for_each(|mean| *mean /= each);
        }
        for (index, &value) in x.data().iter().enumerate() {
            let group = find(index).0;
            squares[group] += (f64::from(value) - means[group]).powi(2);
        }
        self.statistics.clear();
        for (mean, square) in means.iter().zip(&squares) {
            let deviation = (square / each + f64::from(self.epsilon)).sqrt();
            self.statistics.push((*mean as f32, (1.0 / deviation) as f32));
        }
        y.resize(x.shape())?;
        let gamma = self.gamma.map(|id| ctx.params[id].value.as_slice());
        let beta = self.beta.map(|id| ctx.params[id].value.as_slice());
        for (index, (y, &x)) in y.data_mut().iter_mut().zip(x.data()).enumerate() {
            let (group, weight) = find(index);
            let (mean, scale) = self.statistics[group];
            let normal = (x - mean) * scale;
            *y = normal * gamma.map_or(1.0, |gamma| gamma[weight]) + beta.map_or(0.0, |beta| beta[weight]);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (x, gy) = (ins[0], gouts[0]);
        let (count, find) = self.plan(x);
        let each = (x.len() / count.max(1)) as f32;
        if let Some(beta) = self.beta {
            let gradient = ctx.params[beta].grad_mut();
            for (index, &g) in gy.data().iter().enumerate() {
                gradient[find(index).1] += g;
            }
        }
        let normal = |index: usize| {
            let (mean, scale) = self.statistics[find(index).0];
            (x.data()[index] - mean) * scale
        };
        if let Some(gamma) = self.gamma {
            let gradient = ctx.params[gamma].grad_mut();
            for (index, &g) in gy.data().iter().enumerate() {
                gradient[find(index).1] += g * normal(index);
            }
        }
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let gamma = self.gamma.map(|id| ctx.params[id].value.as_slice());
        let inner = |index: usize, g: f32| g * gamma.map_or(1.0, |gamma| gamma[find(index).1]);
        let (mut sums, mut dots) = (vec![0.0_f32; count], vec![0.0_f32; count]);
        for (index, &g) in gy.data().iter().enumerate() {
            let (group, g) = (find(index).0, inner(index, g));
            sums[group] += if self.centred { g } else { 0.0 };
            dots[group] += g * normal(index);
        }
        for (index, (gx, &g)) in gin.data_mut().iter_mut().zip(gy.data()).enumerate() {
            let group = find(index).0;
            let shared = (sums[group] + normal(index) * dots[group]) / each;
            *gx += self.statistics[group].1 * (inner(index, g) - shared);
        }
        Ok(())
    }
}
