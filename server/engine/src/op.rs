//! One operation of the imperative form of a model.

use std::collections::HashMap;

use crate::graph::Param;
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

/// An operation with one call in the graph. It keeps what its backward pass needs, and its buffers.
pub trait Op: Send {
    /// Name for reports (`matmul`, `conv`).
    fn name(&self) -> &'static str;

    /// Computes the outputs; they keep their allocation from step to step.
    fn forward(&mut self, ctx: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor])
    -> Result<(), EngineError>;

    /// Adds to the gradients at the inputs (`None` where nobody asks) and of the weights.
    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &[&Tensor],
        gouts: &[&Tensor],
        gins: &mut [Option<Tensor>],
    ) -> Result<(), EngineError>;

    /// Whether it has weights that are trained by their nature.
    fn trains(&self) -> bool {
        false
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
    F: Fn(f32) -> f32 + Send,
    B: Fn(f32, f32, f32) -> f32 + Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        outs[0].resize(ins[0].shape())?;
        for (y, &x) in outs[0].data_mut().iter_mut().zip(ins[0].data()) {
            *y = (self.forward)(x);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &[&Tensor],
        gouts: &[&Tensor],
        gins: &mut [Option<Tensor>],
    ) -> Result<(), EngineError> {
        if let Some(gin) = &mut gins[0] {
            let values = ins[0].data().iter().zip(outs[0].data()).zip(gouts[0].data());
            for (gx, ((&x, &y), &gy)) in gin.data_mut().iter_mut().zip(values) {
                *gx += (self.backward)(x, y, gy);
            }
        }
        Ok(())
    }
}
