//! `DepthwiseConv1D`, `DepthwiseConv2D`, `SeparableConv1D`, `SeparableConv2D`.

use super::Entry;
use super::conv::{Conv, bias};
use super::geometry::{Padding, Windows, axes_of};
use crate::graph::{Call, ParamId, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("DepthwiseConv1D", depthwise),
    Entry::unmasked("DepthwiseConv2D", depthwise),
    Entry::unmasked("SeparableConv1D", separable),
    Entry::unmasked("SeparableConv2D", separable),
];

fn by_channel(call: &mut Call<'_>, kernel: &str) -> Result<(Sym, usize), Unsupported> {
    let axes = axes_of(call.class);
    let x = call.input()?;
    let windows = Windows::read(call, "kernel_size", axes)?;
    let multiplier = call.config.opt_size("depth_multiplier")?.unwrap_or(1);
    if x.rank() != axes + 2 {
        return Err(call.unsupported(format!("an input of {} axes", x.rank())));
    }
    let channels = call.known(&x, axes + 1)?;
    let shape = windows.output(call, &x, axes, Some(channels * multiplier))?;
    let mut size = windows.kernel[3 - axes..].to_vec();
    size.extend([channels, multiplier]);
    let kernel = call.weight(kernel, &size, true)?;
    let op = Depthwise {
        windows,
        axes,
        multiplier,
        kernel,
    };
    Ok((call.builder.op(op, &[&x], shape), channels * multiplier))
}

fn depthwise(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let multiplier = call.config.opt_size("depth_multiplier")?.unwrap_or(1);
    let channels = call.known(&x, x.rank().saturating_sub(1))?;
    // The kernel comes first in the order of the weights.
    let (y, _) = by_channel(call, "kernel")?;
    let y = match bias(call, channels * multiplier)? {
        Some(bias) => {
            let shape = y.shape.clone();
            call.builder.op(Bias(bias), &[&y], shape)
        }
        None => y,
    };
    Ok(vec![call.activate(y)?])
}

fn separable(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let axes = axes_of(call.class);
    let (x, channels) = by_channel(call, "depthwise_kernel")?;
    let filters = call.config.size("filters")?;
    let mut size = vec![1; axes];
    size.extend([channels, filters]);
    let kernel = call.weight("pointwise_kernel", &size, true)?;
    let bias = bias(call, filters)?;
    let mut shape = x.shape.clone();
    shape.pop();
    shape.push(Some(filters));
    let op = Conv {
        windows: Windows {
            kernel: [1; 3],
            stride: [1; 3],
            dilation: [1; 3],
            padding: Padding::Valid,
        },
        axes,
        groups: 1,
        filters,
        kernel,
        bias,
        tasks: Vec::new(),
    };
    let y = call.builder.op(op, &[&x], shape);
    Ok(vec![call.activate(y)?])
}

struct Depthwise {
    windows: Windows,
    axes: usize,
    multiplier: usize,
    kernel: ParamId,
}

impl Op for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise_conv"
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
        let (channels, times) = (x.last(), self.multiplier);
        let wide = channels * times;
        y.zero(&geometry.shape(x.dim(0), self.axes, wide))?;
        let kernel = &ctx.params[self.kernel].value;
        let images = x.data().chunks_exact((geometry.places() * channels).max(1));
        for (y, x) in y
            .data_mut()
            .chunks_exact_mut((geometry.positions() * wide).max(1))
            .zip(images)
        {
            geometry.visit(|window, tap, place| {
                let weights = &kernel[tap * wide..(tap + 1) * wide];
                let x = &x[place * channels..(place + 1) * channels];
                let y = &mut y[window * wide..(window + 1) * wide];
                for ((y, weights), &x) in y.chunks_exact_mut(times).zip(weights.chunks_exact(times)).zip(x) {
                    for (y, &weight) in y.iter_mut().zip(weights) {
                        *y += x * weight;
                    }
                }
            });
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let x = ins[0];
        let geometry = self.windows.over(x.shape())?;
        let (channels, times) = (x.last(), self.multiplier);
        let wide = channels * times;
        let kernel = &mut ctx.params[self.kernel];
        kernel.touched = true;
        let (values, gradient) = (&kernel.value, &mut kernel.grad);
        let image = (geometry.places() * channels).max(1);
        let results = gouts[0].data().chunks_exact((geometry.positions() * wide).max(1));
        for (sample, (x, gy)) in x.data().chunks_exact(image).zip(results).enumerate() {
            let mut gx = gins[0]
                .as_mut()
                .map(|gin| &mut gin.data_mut()[sample * image..(sample + 1) * image]);
            geometry.visit(|window, tap, place| {
                let gy = &gy[window * wide..(window + 1) * wide];
                for channel in 0..channels {
                    for m in 0..times {
                        let at = tap * wide + channel * times + m;
                        let g = gy[channel * times + m];
                        gradient[at] += g * x[place * channels + channel];
                        if let Some(gx) = &mut gx {
                            gx[place * channels + channel] += g * values[at];
                        }
                    }
                }
            });
        }
        Ok(())
    }
}

/// Adds a bias over the last axis.
pub(super) struct Bias(pub ParamId);

impl Op for Bias {
    fn name(&self) -> &'static str {
        "bias"
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
        outs[0].copy_from(ins[0].view())?;
        let bias = &ctx.params[self.0].value;
        for row in outs[0].data_mut().chunks_exact_mut(bias.len().max(1)) {
            for (value, &bias) in row.iter_mut().zip(bias) {
                *value += bias;
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        super::dense::add_rows(ctx.params[self.0].grad_mut(), gouts[0].data());
        if let Some(gin) = &mut gins[0] {
            for (gx, &gy) in gin.data_mut().iter_mut().zip(gouts[0].data()) {
                *gx += gy;
            }
        }
        Ok(())
    }
}
