//! `Conv1DTranspose`, `Conv2DTranspose`, `Conv3DTranspose`.

use super::Entry;
use super::conv::bias;
use super::dense::{add_rows, spread_bias};
use super::geometry::{Geometry, Windows, axes_of};
use crate::graph::{Call, ParamId, Sym};
use crate::native::{Mat, matmul};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("Conv1DTranspose", transpose),
    Entry::unmasked("Conv2DTranspose", transpose),
    Entry::unmasked("Conv3DTranspose", transpose),
];

fn transpose(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let axes = axes_of(call.class);
    let x = call.input()?;
    let windows = Windows::read(call, "kernel_size", axes)?;
    let mut extra = [None; 3];
    if call.config.get("output_padding").is_some() {
        let sizes = call.config.sizes("output_padding", axes, 0)?;
        for (extra, size) in extra[3 - axes..].iter_mut().zip(sizes) {
            *extra = Some(size);
        }
    }
    let filters = call.config.size("filters")?;
    if x.rank() != axes + 2 {
        return Err(call.unsupported(format!("an input of {} axes", x.rank())));
    }
    let channels = call.known(&x, axes + 1)?;
    let mut shape = vec![None];
    for axis in 0..axes {
        let at = 3 - axes + axis;
        shape.push(match x.shape[axis + 1] {
            None => None,
            Some(size) => {
                let image = windows.image_of(at, size, extra[at]);
                Some(image.ok_or_else(|| call.config.not("output_padding"))?)
            }
        });
    }
    shape.push(Some(filters));
    let mut kernel = windows.kernel[3 - axes..].to_vec();
    kernel.extend([filters, channels]);
    let kernel = call.weight("kernel", &kernel, true)?;
    let bias = bias(call, filters)?;
    let op = Transpose {
        windows,
        axes,
        extra,
        filters,
        kernel,
        bias,
        rows: Vec::new(),
    };
    let y = call.builder.op(op, &[&x], shape);
    Ok(vec![call.activate(y)?])
}

/// The backward pass of a convolution, forward.
struct Transpose {
    windows: Windows,
    axes: usize,
    /// `output_padding`.
    extra: [Option<usize>; 3],
    filters: usize,
    kernel: ParamId,
    bias: Option<ParamId>,
    rows: Vec<f32>,
}

impl Transpose {
    fn geometry(&self, shape: &[usize]) -> Result<Geometry, EngineError> {
        let (mut small, mut image) = ([1; 3], [1; 3]);
        for axis in 0..self.axes {
            let at = 3 - self.axes + axis;
            small[at] = shape.get(axis + 1).copied().unwrap_or(1);
            image[at] = self
                .windows
                .image_of(at, small[at], self.extra[at])
                .ok_or_else(|| EngineError::TooLarge(shape.to_vec()))?;
        }
        Ok(self.windows.laid(image, small))
    }
}

impl Op for Transpose {
    fn name(&self) -> &'static str {
        "conv_transpose"
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
        let geometry = self.geometry(x.shape())?;
        let (samples, channels, filters) = (x.dim(0), x.last(), self.filters);
        let mut shape = vec![samples];
        shape.extend_from_slice(&geometry.image[3 - self.axes..]);
        shape.push(filters);
        y.zero(&shape)?;
        if let Some(bias) = self.bias {
            spread_bias(y.data_mut(), &ctx.params[bias].value);
        }
        let width = self.windows.taps() * filters;
        let positions = geometry.positions();
        self.rows.resize(positions * width, 0.0);
        let kernel = Mat::transposed(&ctx.params[self.kernel].value, channels);
        let images = y
            .data_mut()
            .chunks_exact_mut((geometry.places() * filters).max(1));
        for (y, x) in images.zip(x.data().chunks_exact((positions * channels).max(1))) {
            let sizes = (positions, channels, width);
            matmul(
                sizes,
                Mat::rows(x, channels),
                kernel,
                &mut self.rows,
                width,
                false,
            );
            geometry.fold(&self.rows, filters, (0, filters), y);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (x, gy) = (ins[0], gouts[0]);
        let geometry = self.geometry(x.shape())?;
        let (channels, filters) = (x.last(), self.filters);
        if let Some(bias) = self.bias {
            add_rows(ctx.params[bias].grad_mut(), gy.data());
        }
        let width = self.windows.taps() * filters;
        let positions = geometry.positions();
        let kernel = &mut ctx.params[self.kernel];
        kernel.touched = true;
        let (image, small) = (
            (geometry.places() * filters).max(1),
            (positions * channels).max(1),
        );
        for (at, (gy, x)) in gy
            .data()
            .chunks_exact(image)
            .zip(x.data().chunks_exact(small))
            .enumerate()
        {
            geometry.unfold(gy, filters, (0, filters), &mut self.rows);
            let turned = Mat::transposed(&self.rows, width);
            let sizes = (width, positions, channels);
            matmul(
                sizes,
                turned,
                Mat::rows(x, channels),
                &mut kernel.grad,
                channels,
                true,
            );
            if let Some(gin) = &mut gins[0] {
                let gx = &mut gin.data_mut()[at * small..(at + 1) * small];
                let (rows, weights) = (Mat::rows(&self.rows, width), Mat::rows(&kernel.value, channels));
                matmul((positions, width, channels), rows, weights, gx, channels, true);
            }
        }
        Ok(())
    }
}
