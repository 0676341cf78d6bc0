//! One operation of the imperative form of a model.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::graph::Param;
use crate::native::{share, wide};
use crate::{EngineError, Tensor};

/// What operations share during a step.
#[derive(Debug)]
pub struct Ctx<'a> {
    /// The weights.
    pub params: &'a mut [Param],
    /// Whether this is training, not inference.
    pub training: bool,
    /// Source of dropout and noise.
    pub rng: &'a mut fastrand::Rng,
    /// Noise given from outside, by name of the layer; it takes the place of the generator.
    pub noise: &'a HashMap<String, Vec<f32>>,
    /// Losses that layers add (activity regularizers).
    pub added_loss: f32,
    /// In the backward pass of an operation that overwrites: its input's gradient holds nothing yet, not even zeros.
    pub overwrite: bool,
}

impl Ctx<'_> {
    /// The noise given for a layer, if it has that length.
    pub fn given_noise(&self, layer: &str, length: usize) -> Option<&[f32]> {
        self.noise
            .get(layer)
            .filter(|noise| noise.len() == length)
            .map(Vec::as_slice)
    }
}

/// The values of an operation in the backward pass.
#[derive(Debug)]
pub struct Backward<'a> {
    /// The inputs.
    pub ins: &'a [&'a Tensor],
    /// The outputs.
    pub outs: &'a [&'a Tensor],
    /// The gradients at the outputs.
    pub gouts: &'a [&'a Tensor],
    /// The gradients at the inputs, `None` where nobody asks.
    pub gins: &'a mut [Option<Tensor>],
}

/// An operation with one call in the graph. It keeps what its backward pass needs, and its buffers.
pub trait Op: Send {
    /// Name for reports (`matmul`, `conv`).
    fn name(&self) -> &'static str;

    /// Computes the outputs; they keep their allocation from step to step.
    fn forward(&mut self, ctx: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor])
    -> Result<(), EngineError>;

    /// Adds to the gradients at the inputs and of the weights.
    fn backward(&mut self, ctx: &mut Ctx<'_>, values: Backward<'_>) -> Result<(), EngineError>;

    /// Whether it has weights that are trained by their nature.
    fn trains(&self) -> bool {
        false
    }

    /// Whether it heeds [`Ctx::overwrite`]; such an operation has one input.
    fn overwrites(&self) -> bool {
        false
    }

    /// How many numbers besides its outputs it keeps of the forward pass for the backward pass.
    fn kept(&self) -> usize {
        0
    }

    /// Whether gradients pass through it at all.
    fn differentiable(&self) -> bool {
        true
    }
}

/// An operation without state and weights whose gradient needs only its input and output, element by element.
pub struct Elementwise<F, B> {
    /// Its name.
    pub name: &'static str,
    /// `y = forward(x)`.
    pub forward: F,
    /// `dL/dx = backward(x, y, dL/dy)`.
    pub backward: B,
}

impl<F, B> Op for Elementwise<F, B>
where
    F: Fn(f32) -> f32 + Send + Sync,
    B: Fn(f32, f32, f32) -> f32 + Send + Sync,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        outs[0].resize(ins[0].shape())?;
        let (forward, x, y) = (&self.forward, ins[0].data(), outs[0].data_mut());
        let compute = |y: &mut [f32], x: &[f32]| {
            wide(
                #[inline(always)]
                || {
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = forward(x);
                    }
                },
            );
        };
        let per = share(x.len(), x.len());
        if per >= x.len() {
            compute(y, x);
        } else {
            let parts = y.par_chunks_mut(per).zip(x.par_chunks(per));
            parts.for_each(|(y, x)| compute(y, x));
        }
        Ok(())
    }

    fn overwrites(&self) -> bool {
        true
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward {
            ins,
            outs,
            gouts,
            gins,
        }: Backward<'_>,
    ) -> Result<(), EngineError> {
        if let Some(gin) = &mut gins[0] {
            let overwrite = ctx.overwrite;
            let (x, y, gy) = (ins[0].data(), outs[0].data(), gouts[0].data());
            let (backward, gx) = (&self.backward, gin.data_mut());
            let compute = |gx: &mut [f32], x: &[f32], y: &[f32], gy: &[f32]| {
                wide(
                    #[inline(always)]
                    || {
                        let values = gx.iter_mut().zip(x.iter().zip(y).zip(gy));
                        if overwrite {
                            for (gx, ((&x, &y), &gy)) in values {
                                *gx = backward(x, y, gy);
                            }
                        } else {
                            for (gx, ((&x, &y), &gy)) in values {
                                *gx += backward(x, y, gy);
                            }
                        }
                    },
                );
            };
            let per = share(x.len(), x.len());
            if per >= x.len() {
                compute(gx, x, y, gy);
            } else {
                let values = x.par_chunks(per).zip(y.par_chunks(per)).zip(gy.par_chunks(per));
                let parts = gx.par_chunks_mut(per).zip(values);
                parts.for_each(|(gx, ((x, y), gy))| compute(gx, x, y, gy));
            }
        }
        Ok(())
    }
}
