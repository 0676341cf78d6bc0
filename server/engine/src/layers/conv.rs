//! `Conv1D`, `Conv2D`, `Conv3D`.

use rayon::prelude::*;

use super::Entry;
use super::dense::{add_rows, spread_bias};
use super::geometry::{Windows, axes_of};
use crate::graph::{Call, ParamId, Sym};
use crate::native::{Mat, matmul};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("Conv1D", conv),
    Entry::unmasked("Conv2D", conv),
    Entry::unmasked("Conv3D", conv),
];

fn conv(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let axes = axes_of(call.class);
    let x = call.input()?;
    let windows = Windows::read(call, "kernel_size", axes)?;
    let filters = call.config.size("filters")?;
    let groups = call.config.opt_size("groups")?.unwrap_or(1);
    let shape = windows.output(call, &x, axes, Some(filters))?;
    let channels = call.known(&x, axes + 1)?;
    if channels % groups != 0 || filters % groups != 0 {
        return Err(call.config.not("groups"));
    }
    let mut kernel = windows.kernel[3 - axes..].to_vec();
    kernel.extend([channels / groups, filters]);
    let kernel = call.weight("kernel", &kernel, true)?;
    let bias = bias(call, filters)?;
    let op = Conv {
        windows,
        axes,
        groups,
        filters,
        kernel,
        bias,
        tasks: Vec::new(),
    };
    let y = call.builder.op(op, &[&x], shape);
    Ok(vec![call.activate(y)?])
}

pub(super) fn bias(call: &mut Call<'_>, size: usize) -> Result<Option<ParamId>, Unsupported> {
    if call.config.flag("use_bias", true)? {
        Ok(Some(call.weight("bias", &[size], true)?))
    } else {
        Ok(None)
    }
}

pub(super) struct Conv {
    pub windows: Windows,
    pub axes: usize,
    pub groups: usize,
    pub filters: usize,
    pub kernel: ParamId,
    pub bias: Option<ParamId>,
    /// Buffers of the threads.
    pub tasks: Vec<Task>,
}

#[derive(Default)]
pub(super) struct Task {
    pub rows: Vec<f32>,
    pub gradient: Vec<f32>,
    pub bias: Vec<f32>,
}

/// How many samples one thread takes.
pub(super) fn share(samples: usize) -> usize {
    samples.div_ceil(rayon::current_num_threads().max(1)).max(1)
}

/// Makes sure there is a buffer for each thread.
pub(super) fn prepare(tasks: &mut Vec<Task>, samples: usize, rows: usize) {
    tasks.resize_with(samples.div_ceil(share(samples)).max(1), Task::default);
    for task in tasks {
        task.rows.resize(rows, 0.0);
    }
}

impl Op for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn trains(&self) -> bool {
        true
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        let geometry = self.windows.over(x.shape())?;
        let (samples, channels) = (x.dim(0), x.last());
        y.resize(&geometry.shape(samples, self.axes, self.filters))?;
        let (positions, filters, groups) = (geometry.positions(), self.filters, self.groups);
        let (take, out) = (channels / groups, filters / groups);
        let width = self.windows.taps() * take;
        prepare(&mut self.tasks, samples, positions * width);
        let bias = self.bias.map(|bias| ctx.params[bias].value.as_slice());
        let kernel = &ctx.params[self.kernel].value;
        let (image, result) = (geometry.places() * channels, positions * filters);
        if image == 0 || result == 0 {
            return Ok(());
        }
        let per = share(samples);
        y.data_mut()
            .par_chunks_mut(per * result)
            .zip(x.data().par_chunks(per * image))
            .zip(&mut self.tasks)
            .for_each(|((y, x), task)| {
                for (y, x) in y.chunks_exact_mut(result).zip(x.chunks_exact(image)) {
                    if let Some(bias) = bias {
                        spread_bias(y, bias);
                    }
                    for group in 0..groups {
                        geometry.unfold(x, channels, (group * take, take), &mut task.rows);
                        let columns = Mat {
                            data: &kernel[group * out..],
                            row: filters,
                            column: 1,
                        };
                        let sizes = (positions, width, out);
                        let rows = Mat::rows(&task.rows, width);
                        matmul(
                            sizes,
                            rows,
                            columns,
                            &mut y[group * out..],
                            filters,
                            bias.is_some(),
                        );
                    }
                }
            });
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (x, gy) = (ins[0], gouts[0]);
        let geometry = self.windows.over(x.shape())?;
        let (samples, channels) = (x.dim(0), x.last());
        let (positions, filters, groups) = (geometry.positions(), self.filters, self.groups);
        let (take, out) = (channels / groups, filters / groups);
        let width = self.windows.taps() * take;
        prepare(&mut self.tasks, samples, positions * width);
        let kernel = &mut ctx.params[self.kernel];
        kernel.touched = true;
        let weights = &kernel.value;
        for task in &mut self.tasks {
            task.gradient.clear();
            task.gradient.resize(weights.len(), 0.0);
            task.bias.clear();
            task.bias.resize(filters, 0.0);
        }
        let (image, result) = (geometry.places() * channels, positions * filters);
        if image == 0 || result == 0 {
            return Ok(());
        }
        let per = share(samples);
        let mut none: Vec<f32> = Vec::new();
        let wanted = gins[0].is_some();
        let gx = gins[0].as_mut().map_or(none.as_mut_slice(), Tensor::data_mut);
        let mut parts: Vec<&mut [f32]> = if wanted {
            gx.chunks_mut(per * image).collect()
        } else {
            (0..self.tasks.len()).map(|_| -> &mut [f32] { &mut [] }).collect()
        };
        x.data()
            .par_chunks(per * image)
            .zip(gy.data().par_chunks(per * result))
            .zip(&mut self.tasks)
            .zip(&mut parts)
            .for_each(|(((x, gy), task), gx)| {
                for (at, (x, gy)) in x.chunks_exact(image).zip(gy.chunks_exact(result)).enumerate() {
                    add_rows(&mut task.bias, gy);
                    for group in 0..groups {
                        geometry.unfold(x, channels, (group * take, take), &mut task.rows);
                        let gradient = Mat {
                            data: &gy[group * out..],
                            row: filters,
                            column: 1,
                        };
                        let turned = Mat::transposed(&task.rows, width);
                        let into = &mut task.gradient[group * out..];
                        matmul((width, positions, out), turned, gradient, into, filters, true);
                        if wanted {
                            let columns = Mat {
                                data: &weights[group * out..],
                                row: 1,
                                column: filters,
                            };
                            matmul(
                                (positions, out, width),
                                gradient,
                                columns,
                                &mut task.rows,
                                width,
                                false,
                            );
                            let image = &mut gx[at * image..(at + 1) * image];
                            geometry.fold(&task.rows, channels, (group * take, take), image);
                        }
                    }
                }
            });
        for task in &self.tasks {
            for (sum, &part) in kernel.grad.iter_mut().zip(&task.gradient) {
                *sum += part;
            }
        }
        if let Some(bias) = self.bias {
            for task in &self.tasks {
                add_rows(ctx.params[bias].grad_mut(), &task.bias);
            }
        }
        Ok(())
    }
}
