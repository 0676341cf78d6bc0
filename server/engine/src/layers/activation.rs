//! `Activation` and the layers that are one activation.

use serde_json::Value;

use super::Entry;
use crate::activations::Activation;
use crate::graph::{Call, ParamId, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::new("Activation", activation),
    Entry::new("ReLU", relu),
    Entry::new("LeakyReLU", leaky_relu),
    Entry::new("ELU", elu),
    Entry::new("Softmax", softmax),
    Entry::new("PReLU", prelu),
];

fn activation(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    Ok(vec![call.activate(x)?])
}

fn only(call: &mut Call<'_>, name: &str, kind: Activation) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    call.before = Some(x.id);
    call.activation = Some(name.to_owned());
    Ok(vec![call.apply(kind, x)?])
}

fn relu(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let kind = Activation::Relu {
        slope: call.config.f32("negative_slope", 0.0)?,
        max: call.config.f32("max_value", f32::INFINITY)?,
        threshold: call.config.f32("threshold", 0.0)?,
    };
    only(call, "relu", kind)
}

fn leaky_relu(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let kind = Activation::Relu {
        slope: call.config.f32("negative_slope", 0.3)?,
        max: f32::INFINITY,
        threshold: 0.0,
    };
    only(call, "leaky_relu", kind)
}

fn elu(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let kind = Activation::Elu(call.config.f32("alpha", 1.0)?);
    only(call, "elu", kind)
}

fn softmax(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let axis = call.config.int("axis", -1)?;
    let x = call.input()?;
    let Some(mask) = call.given_mask.or(x.mask) else {
        return only(call, "softmax", Activation::Softmax(axis));
    };
    let fill = |call: &mut Call<'_>, x: &Sym, value: f32| {
        let id = call.builder.op_ids(Box::new(Fill { value }), vec![x.id, mask], 1)[0];
        Sym {
            id,
            logits: None,
            ..x.clone()
        }
    };
    let allowed = fill(call, &x, -1e9);
    let shares = call.apply(Activation::Softmax(axis), allowed)?;
    call.before = Some(x.id);
    call.activation = Some("softmax".into());
    Ok(vec![fill(call, &shares, 0.0)])
}

/// The first input where the second, a mask, is not 0, and a number elsewhere.
struct Fill {
    value: f32,
}

impl Fill {
    /// For each element whether the mask allows it.
    fn allowed<'a>(ins: &'a [&'a Tensor]) -> Result<impl Fn(usize) -> bool + 'a, EngineError> {
        let (shape, mask) = (ins[0].shape(), ins[1]);
        let front = shape.len().saturating_sub(mask.rank());
        let own: Vec<usize> = std::iter::repeat_n(1, front)
            .chain(mask.shape().iter().copied())
            .collect();
        if own.len() != shape.len() || own.iter().zip(shape).any(|(&own, &wide)| own != wide && own != 1) {
            return Err(EngineError::shape(
                "mask",
                format!("{:?} for {shape:?}", mask.shape()),
            ));
        }
        let place = super::merge::places(shape, &own);
        Ok(move |index| mask.data()[place(index)] > 0.5)
    }
}

impl Op for Fill {
    fn name(&self) -> &'static str {
        "mask"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let allowed = Self::allowed(ins)?;
        outs[0].resize(ins[0].shape())?;
        for (index, (y, &x)) in outs[0].data_mut().iter_mut().zip(ins[0].data()).enumerate() {
            *y = if allowed(index) { x } else { self.value };
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let allowed = Self::allowed(ins)?;
        if let Some(gin) = &mut gins[0] {
            for (index, (gx, &gy)) in gin.data_mut().iter_mut().zip(gouts[0].data()).enumerate() {
                *gx += if allowed(index) { gy } else { 0.0 };
            }
        }
        Ok(())
    }
}

fn prelu(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let shared = match call.config.get("shared_axes") {
        None => Vec::new(),
        Some(Value::Array(axes)) => axes
            .iter()
            .map(|axis| usize::try_from(axis.as_u64()?).ok())
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| call.config.not("shared_axes"))?,
        Some(_) => return Err(call.config.not("shared_axes")),
    };
    let mut shape = Vec::new();
    for axis in 1..x.rank() {
        shape.push(if shared.contains(&axis) {
            1
        } else {
            call.known(&x, axis)?
        });
    }
    let alpha = call.weight("alpha", &shape, true)?;
    call.before = Some(x.id);
    call.activation = Some("prelu".into());
    let out = x.shape.clone();
    Ok(vec![call.builder.op(Prelu { alpha }, &[&x], out)])
}

struct Prelu {
    alpha: ParamId,
}

impl Prelu {
    /// Index into alpha for each element of a sample.
    fn places(shape: &[usize], alpha: &[usize]) -> Vec<usize> {
        let count: usize = shape.iter().product();
        (0..count)
            .map(|index| {
                let (mut rest, mut at, mut stride) = (index, 0, 1);
                for axis in (0..shape.len()).rev() {
                    let here = rest % shape[axis];
                    rest /= shape[axis];
                    if alpha[axis] != 1 {
                        at += here * stride;
                        stride *= alpha[axis];
                    }
                }
                at
            })
            .collect()
    }
}

impl Op for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
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
        outs[0].resize(ins[0].shape())?;
        let alpha = &ctx.params[self.alpha];
        let places = Self::places(&ins[0].shape()[1..], &alpha.shape);
        let (x, y) = (ins[0].data(), outs[0].data_mut());
        for (y, x) in y
            .chunks_mut(places.len().max(1))
            .zip(x.chunks(places.len().max(1)))
        {
            for ((y, &x), &place) in y.iter_mut().zip(x).zip(&places) {
                *y = if x < 0.0 { alpha.value[place] * x } else { x };
            }
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let alpha = &mut ctx.params[self.alpha];
        let places = Self::places(&ins[0].shape()[1..], &alpha.shape);
        alpha.touched = true;
        for (at, (&x, &gy)) in ins[0].data().iter().zip(gouts[0].data()).enumerate() {
            let place = places[at % places.len()];
            if x < 0.0 {
                alpha.grad[place] += gy * x;
            }
            if let Some(gin) = &mut gins[0] {
                gin.data_mut()[at] += if x < 0.0 { gy * alpha.value[place] } else { gy };
            }
        }
        Ok(())
    }
}
