//! `BatchNormalization`: over the batch in training, by moving averages in inference.

use super::Entry;
use super::normalization::optional;
use crate::config::Config;
use crate::graph::{Call, Param, ParamId, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::tensor::around;
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[Entry::new("BatchNormalization", batch_normalization)];

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
    let size = call.known(&x, axis)?;
    let gamma = optional(call, "scale", "gamma", size)?;
    let beta = optional(call, "center", "beta", size)?;
    let mean = call.weight("moving_mean", &[size], false)?;
    let variance = call.weight("moving_variance", &[size], false)?;
    let renorm = if call.config.flag("renorm", false)? {
        Some(Renorm {
            deviation: call.weight("moving_stddev", &[size], false)?,
            mean_before: call.weight("renorm_mean", &[size], false)?,
            deviation_before: call.weight("renorm_stddev", &[size], false)?,
            momentum: call.config.f32("renorm_momentum", 0.99)?,
            limits: limits(call)?,
        })
    } else {
        None
    };
    let op = BatchNorm {
        axis,
        gamma,
        beta,
        mean,
        variance,
        renorm,
        momentum: call.config.f32("momentum", 0.99)?,
        epsilon: call.config.f32("epsilon", 1e-3)?,
        // A frozen layer is in inference, whatever the model does.
        training: if call.frozen { Some(false) } else { call.training },
        parts: vec![Moments::default(); call.steps],
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

/// Smallest and largest ratio of deviations, and largest difference of means.
fn limits(call: &Call<'_>) -> Result<(f32, f32, f32), Unsupported> {
    let Some(given) = call.config.get("renorm_clipping") else {
        return Ok((f32::NEG_INFINITY, f32::INFINITY, f32::INFINITY));
    };
    let given = Config::new(call.config.place, given);
    Ok((
        given.f32("rmin", f32::NEG_INFINITY)?,
        given.f32("rmax", f32::INFINITY)?,
        given.f32("dmax", f32::INFINITY)?,
    ))
}

/// Batch renormalisation (Ioffe, 2017): statistics of the batch are corrected towards the moving ones.
struct Renorm {
    /// Moving deviation, from which the moving variance follows.
    deviation: ParamId,
    mean_before: ParamId,
    deviation_before: ParamId,
    momentum: f32,
    limits: (f32, f32, f32),
}

/// By what the units of a batch are normalised.
#[derive(Clone, Debug, Default)]
struct Moments {
    mean: Vec<f32>,
    /// Reciprocal deviations.
    scale: Vec<f32>,
    /// Factor and summand of renormalisation; empty without.
    corrections: Vec<(f32, f32)>,
}

impl Moments {
    fn correction(&self, unit: usize) -> (f32, f32) {
        self.corrections.get(unit).copied().unwrap_or((1.0, 0.0))
    }
}

struct BatchNorm {
    axis: usize,
    gamma: Option<ParamId>,
    beta: Option<ParamId>,
    mean: ParamId,
    variance: ParamId,
    renorm: Option<Renorm>,
    momentum: f32,
    epsilon: f32,
    training: Option<bool>,
    /// One for each time step that is normalised for itself, which is only one outside of `TimeDistributed`.
    parts: Vec<Moments>,
    /// Whether statistics are those of the batch.
    batch: bool,
}

/// Every `steps`-th sample.
fn picked(values: &[f32], each: usize, step: usize, steps: usize) -> Vec<f32> {
    let rows = values.chunks_exact(each.max(1)).skip(step).step_by(steps);
    rows.flatten().copied().collect()
}

fn put_back(values: &mut [f32], each: usize, step: usize, steps: usize, part: &[f32]) {
    let rows = values.chunks_exact_mut(each.max(1)).skip(step).step_by(steps);
    for (row, part) in rows.zip(part.chunks_exact(each.max(1))) {
        row.copy_from_slice(part);
    }
}

fn moved(average: &mut f32, value: f32, keep: f32) -> f32 {
    *average = *average * keep + value * (1.0 - keep);
    *average
}

impl BatchNorm {
    /// The moments of a batch; moving averages follow.
    fn of_batch(&self, params: &mut [Param], x: &[f32], sizes: Sizes, mask: Option<&[f32]>) -> Moments {
        let (before, size, after) = sizes;
        let counts = Counted::of(mask, before * after);
        let count = counts.total;
        let mut sums = vec![0.0_f64; size];
        let mut squares = vec![0.0_f64; size];
        each(x, sizes, |unit, place, value| {
            sums[unit] += f64::from(value * counts.weight(place));
        });
        let means: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
        each(x, sizes, |unit, place, value| {
            let weight = f64::from(counts.weight(place));
            squares[unit] += weight * (f64::from(value) - means[unit]).powi(2);
        });
        let mut moments = Moments::default();
        for unit in 0..size {
            let variance = squares[unit] / count;
            let deviation = (variance + f64::from(self.epsilon)).sqrt();
            let mean = means[unit] as f32;
            moments.mean.push(mean);
            moments.scale.push((1.0 / deviation) as f32);
            if let Some(renorm) = &self.renorm {
                let deviation = deviation as f32;
                moments
                    .corrections
                    .push(renorm.correction(params, unit, mean, deviation, self.epsilon));
                moved(&mut params[renorm.mean_before].value[unit], mean, renorm.momentum);
                moved(
                    &mut params[renorm.deviation_before].value[unit],
                    deviation,
                    renorm.momentum,
                );
                let moving = moved(
                    &mut params[renorm.deviation].value[unit],
                    deviation,
                    self.momentum,
                );
                params[self.variance].value[unit] = (moving * moving - self.epsilon).max(0.0);
            } else {
                moved(
                    &mut params[self.variance].value[unit],
                    variance as f32,
                    self.momentum,
                );
            }
            moved(&mut params[self.mean].value[unit], mean, self.momentum);
        }
        moments
    }

    fn of_averages(&self, params: &[Param]) -> Moments {
        let variances = params[self.variance].value.iter();
        Moments {
            mean: params[self.mean].value.clone(),
            scale: variances
                .map(|variance| 1.0 / (variance + self.epsilon).sqrt())
                .collect(),
            corrections: Vec::new(),
        }
    }

    fn normalise(
        &self,
        params: &[Param],
        moments: &Moments,
        x: &[f32],
        (_, size, after): Sizes,
        y: &mut [f32],
    ) {
        let gamma = self.gamma.map(|id| params[id].value.as_slice());
        let beta = self.beta.map(|id| params[id].value.as_slice());
        let factors: Vec<(f32, f32)> = (0..size)
            .map(|unit| {
                let (ratio, shift) = moments.correction(unit);
                let gain = gamma.map_or(1.0, |gamma| gamma[unit]);
                let factor = moments.scale[unit] * gain * ratio;
                let offset = beta.map_or(0.0, |beta| beta[unit]) + shift * gain;
                (factor, offset - moments.mean[unit] * factor)
            })
            .collect();
        if after == 1 {
            for (y, x) in y.chunks_exact_mut(size.max(1)).zip(x.chunks_exact(size.max(1))) {
                for ((y, &x), &(factor, shift)) in y.iter_mut().zip(x).zip(&factors) {
                    *y = x * factor + shift;
                }
            }
        } else {
            let rows = y.chunks_exact_mut(after.max(1)).zip(x.chunks_exact(after.max(1)));
            for (row, (y, x)) in rows.enumerate() {
                let (factor, shift) = factors[row % size];
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = x * factor + shift;
                }
            }
        }
    }

    /// Adds to the gradients of the weights and, where asked, at the input.
    fn back(
        &self,
        params: &mut [Param],
        moments: &Moments,
        (x, gy): (&[f32], &[f32]),
        sizes: Sizes,
        mask: Option<&[f32]>,
        gx: Option<&mut [f32]>,
    ) {
        let (before, size, after) = sizes;
        let (mut sums, mut dots) = (vec![0.0_f64; size], vec![0.0_f64; size]);
        let Moments { mean, scale, .. } = moments;
        pairs(x, gy, sizes, |unit, x, g| {
            sums[unit] += f64::from(g);
            dots[unit] += f64::from(g * (x - mean[unit]) * scale[unit]);
        });
        if let Some(beta) = self.beta {
            let gradient = params[beta].grad_mut().iter_mut();
            gradient.zip(&sums).for_each(|(g, &sum)| *g += sum as f32);
        }
        if let Some(gamma) = self.gamma {
            for (unit, g) in params[gamma].grad_mut().iter_mut().enumerate() {
                let (ratio, shift) = moments.correction(unit);
                *g += dots[unit] as f32 * ratio + sums[unit] as f32 * shift;
            }
        }
        let Some(gx) = gx else { return };
        let counts = Counted::of(mask, before * after);
        let count = counts.total as f32;
        let gamma = self.gamma.map(|id| params[id].value.as_slice());
        let factors: Vec<f32> = (0..size)
            .map(|unit| scale[unit] * gamma.map_or(1.0, |gamma| gamma[unit]) * moments.correction(unit).0)
            .collect();
        let values = x.iter().zip(gy);
        for (index, (gx, (&x, &g))) in gx.iter_mut().zip(values).enumerate() {
            let unit = index / after.max(1) % size;
            *gx += if self.batch {
                let normal = (x - mean[unit]) * scale[unit];
                let share = counts.weight(index / (size * after).max(1)) / count;
                factors[unit] * (g - (sums[unit] as f32 + normal * dots[unit] as f32) * share)
            } else {
                factors[unit] * g
            };
        }
    }
}

impl Renorm {
    fn correction(
        &self,
        params: &[Param],
        unit: usize,
        mean: f32,
        deviation: f32,
        epsilon: f32,
    ) -> (f32, f32) {
        let (smallest, largest, most) = self.limits;
        // Not zero early in the training.
        let known = params[self.deviation_before].value[unit].max(epsilon.sqrt());
        let ratio = (deviation / known).max(smallest).min(largest);
        let shift = (mean - params[self.mean_before].value[unit]) / known;
        (ratio, shift.max(-most).min(most))
    }
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
        let mask = ins.get(1).map(|mask| mask.data());
        self.batch = self.training.unwrap_or(ctx.training);
        y.resize(x.shape())?;
        let steps = self.parts.len();
        let (sizes, each) = split(x, self.axis, steps)?;
        for step in 0..steps {
            let part;
            let x = if steps == 1 {
                x.data()
            } else {
                part = picked(x.data(), each, step, steps);
                &part
            };
            let moments = if self.batch {
                self.of_batch(ctx.params, x, sizes, mask)
            } else {
                self.of_averages(ctx.params)
            };
            if steps == 1 {
                self.normalise(ctx.params, &moments, x, sizes, y.data_mut());
            } else {
                let mut result = vec![0.0; x.len()];
                self.normalise(ctx.params, &moments, x, sizes, &mut result);
                put_back(y.data_mut(), each, step, steps, &result);
            }
            self.parts[step] = moments;
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let mask = ins.get(1).map(|mask| mask.data());
        let (x, gy) = (ins[0].data(), gouts[0].data());
        let mut gx = gins[0].as_mut().map(Tensor::data_mut);
        let steps = self.parts.len();
        let (sizes, each) = split(ins[0], self.axis, steps)?;
        if steps == 1 {
            self.back(ctx.params, &self.parts[0], (x, gy), sizes, mask, gx);
            return Ok(());
        }
        for (step, moments) in self.parts.iter().enumerate() {
            let pick = |values: &[f32]| picked(values, each, step, steps);
            let (x, gy) = (pick(x), pick(gy));
            let mut part = gx.as_deref().map(pick);
            self.back(ctx.params, moments, (&x, &gy), sizes, mask, part.as_deref_mut());
            if let (Some(gx), Some(part)) = (&mut gx, part) {
                put_back(gx, each, step, steps, &part);
            }
        }
        Ok(())
    }
}

/// Product of the axes before the units, number of units, product of the axes behind.
type Sizes = (usize, usize, usize);

/// Sizes of what is normalised at once, and of one sample.
fn split(x: &Tensor, axis: usize, steps: usize) -> Result<(Sizes, usize), EngineError> {
    let (before, size, after) = around(x.shape(), axis);
    if !before.is_multiple_of(steps) {
        return Err(EngineError::shape(
            "batch_normalization",
            format!("{:?}", x.shape()),
        ));
    }
    Ok(((before / steps, size, after), x.len() / x.dim(0).max(1)))
}

/// Which places a statistic is taken over: all, or those where a mask is 1.
struct Counted<'a> {
    mask: Option<&'a [f32]>,
    total: f64,
}

impl<'a> Counted<'a> {
    fn of(mask: Option<&'a [f32]>, places: usize) -> Self {
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

fn each(values: &[f32], (_, size, after): Sizes, mut visit: impl FnMut(usize, usize, f32)) {
    for (row, part) in values.chunks_exact(after.max(1)).enumerate() {
        for &value in part {
            visit(row % size, row / size, value);
        }
    }
}

fn pairs(a: &[f32], b: &[f32], (_, size, after): Sizes, mut visit: impl FnMut(usize, f32, f32)) {
    let parts = a.chunks_exact(after.max(1)).zip(b.chunks_exact(after.max(1)));
    for (row, (a, b)) in parts.enumerate() {
        for (&a, &b) in a.iter().zip(b) {
            visit(row % size, a, b);
        }
    }
}
