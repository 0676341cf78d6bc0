//! Layers that normalise each sample: over the features, over groups.

use super::Entry;
use super::gather::{reordered, undone};
use crate::graph::{Call, ParamId, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::new("LayerNormalization", layer_normalization),
    Entry::new("GroupNormalization", group_normalization),
    Entry::new("RMSNormalization", rms_normalization),
];

pub(super) fn optional(
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

/// The axes that are normalised over, in order.
pub(super) fn axes(call: &Call<'_>, x: &Sym) -> Result<Vec<usize>, Unsupported> {
    let given: Vec<i64> = match call.config.get("axis") {
        None => vec![-1],
        Some(serde_json::Value::Array(items)) => items.iter().filter_map(serde_json::Value::as_i64).collect(),
        Some(one) => one.as_i64().into_iter().collect(),
    };
    let mut axes: Vec<usize> = given.iter().filter_map(|&axis| x.axis(axis)).collect();
    axes.sort_unstable();
    axes.dedup();
    if axes.is_empty() || axes[0] == 0 || axes.len() != given.len() {
        return Err(call.config.not("axis"));
    }
    Ok(axes)
}

/// The first of the axes, which are the last ones of the input, in order; the only kind that is covered.
pub(super) fn trailing(call: &Call<'_>, x: &Sym) -> Result<usize, Unsupported> {
    let axes = axes(call, x)?;
    if axes != (axes[0]..x.rank()).collect::<Vec<_>>() {
        return Err(call.config.not("axis"));
    }
    Ok(axes[0])
}

/// Normalises rows of these axes, which are brought to the end and back.
fn over_axes(call: &mut Call<'_>, x: &Sym, axes: &[usize], op: RowNorm) -> Result<Vec<Sym>, Unsupported> {
    let mut order: Vec<usize> = (0..x.rank()).filter(|axis| !axes.contains(axis)).collect();
    order.extend_from_slice(axes);
    let in_place = order.is_sorted();
    let turned = if in_place {
        x.clone()
    } else {
        reordered(call, x, &order)?
    };
    let shape = turned.shape.clone();
    let y = call.builder.op(op, &[&turned], shape);
    Ok(vec![if in_place {
        y
    } else {
        reordered(call, &y, &undone(&order))?
    }])
}

fn layer_normalization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let axes = axes(call, &x)?;
    let sizes: Vec<usize> = axes
        .iter()
        .map(|&axis| call.known(&x, axis))
        .collect::<Result<_, _>>()?;
    let by_deviation = call.config.flag("rms_scaling", false)?;
    let gamma = if by_deviation || call.config.flag("scale", true)? {
        Some(call.weight("gamma", &sizes, true)?)
    } else {
        None
    };
    let beta = if !by_deviation && call.config.flag("center", true)? {
        Some(call.weight("beta", &sizes, true)?)
    } else {
        None
    };
    let op = RowNorm {
        groups: Groups::Row(sizes.iter().product()),
        gamma,
        beta,
        epsilon: call.config.f32("epsilon", 1e-3)?,
        form: if by_deviation {
            Form::ByDeviation
        } else {
            Form::Centred
        },
        statistics: Vec::new(),
    };
    over_axes(call, &x, &axes, op)
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
        form: Form::RootMeanSquare,
        statistics: Vec::new(),
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

fn group_normalization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let axis = x
        .axis(call.config.int("axis", -1)?)
        .filter(|&axis| axis > 0)
        .ok_or_else(|| call.config.not("axis"))?;
    let size = call.known(&x, axis)?;
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
        form: Form::Centred,
        statistics: Vec::new(),
    };
    over_axes(call, &x, &[axis], op)
}

/// What is normalised together.
#[derive(Clone, Copy)]
enum Groups {
    /// So many values in a row.
    Row(usize),
    /// Of each sample, the channels of a group at all places.
    Channels { size: usize, groups: usize },
}

/// What a group is divided by, and whether its mean is taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Its deviation, and the mean is.
    Centred,
    /// Its root mean square.
    RootMeanSquare,
    /// Its deviation, but the mean stays: Keras' `rms_scaling`.
    ByDeviation,
}

struct RowNorm {
    groups: Groups,
    gamma: Option<ParamId>,
    beta: Option<ParamId>,
    epsilon: f32,
    form: Form,
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
        if self.form != Form::RootMeanSquare {
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
            let normal = (x - if self.form == Form::ByDeviation { 0.0 } else { mean }) * scale;
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
            (x.data()[index] - if self.form == Form::ByDeviation { 0.0 } else { mean }) * scale
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
            sums[group] += if self.form == Form::Centred { g } else { 0.0 };
            dots[group] += g * normal(index);
        }
        for (index, (gx, &g)) in gin.data_mut().iter_mut().zip(gy.data()).enumerate() {
            let group = find(index).0;
            let (mean, scale) = self.statistics[group];
            let centred = match self.form {
                Form::ByDeviation => (x.data()[index] - mean) * scale,
                _ => normal(index),
            };
            let shared = (sums[group] + centred * dots[group]) / each;
            *gx += self.statistics[group].1 * (inner(index, g) - shared);
        }
        Ok(())
    }
}
