//! `Rescaling`, `Normalization`, `CategoryEncoding`.

use serde_json::Value;

use super::Entry;
use super::merge::affine;
use crate::graph::{Call, ParamId, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::new("Rescaling", rescaling),
    Entry::new("Normalization", normalization),
    Entry::unmasked("CategoryEncoding", category_encoding),
];

fn rescaling(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let (scale, offset) = (call.config.f32("scale", 1.0)?, call.config.f32("offset", 0.0)?);
    Ok(vec![affine(call, &x, scale, offset)])
}

fn normalization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    call.config.only("invert", &[false.into()])?;
    let last = x.rank() - 1;
    let axis = match call.config.get("axis") {
        None => None,
        Some(_) => {
            let axis = call.config.int("axis", -1)?;
            Some(
                x.axis(axis)
                    .filter(|&axis| axis == last && axis > 0)
                    .ok_or_else(|| call.config.not("axis"))?,
            )
        }
    };
    let size = match axis {
        None => 1,
        Some(axis) => call.known(&x, axis)?,
    };
    let given = |key: &str| -> Result<Option<Vec<f32>>, Unsupported> {
        let Some(value) = call.config.get(key) else {
            return Ok(None);
        };
        let mut numbers = Vec::new();
        flat(value, &mut numbers, 0);
        match numbers.len() {
            1 => Ok(Some(vec![numbers[0]; size])),
            count if count == size => Ok(Some(numbers)),
            _ => Err(call.config.not(key)),
        }
    };
    let source = match (given("mean")?, given("variance")?) {
        (Some(mean), Some(variance)) => Source::Given(mean, variance),
        _ => {
            let shape = axis.map_or_else(Vec::new, |_| vec![size]);
            let mean = call.weight("mean", &shape, false)?;
            let variance = call.weight("variance", &shape, false)?;
            call.weight("count", &[], false)?;
            Source::Adapted(mean, variance)
        }
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(Normalize { source }, &[&x], shape)])
}

/// Numbers of a list of lists.
fn flat(value: &Value, numbers: &mut Vec<f32>, depth: usize) {
    match value {
        Value::Array(items) if depth < 8 => items.iter().for_each(|item| flat(item, numbers, depth + 1)),
        // An array of NumPy is written as a configured object.
        Value::Object(map) if depth < 8 => {
            if let Some(inner) = map.get("config").and_then(|config| config.get("value")) {
                flat(inner, numbers, depth + 1);
            }
        }
        value => numbers.extend(value.as_f64().map(|number| number as f32)),
    }
}

enum Source {
    Given(Vec<f32>, Vec<f32>),
    Adapted(ParamId, ParamId),
}

struct Normalize {
    source: Source,
}

impl Normalize {
    fn numbers<'a>(&'a self, ctx: &'a Ctx<'_>) -> (&'a [f32], &'a [f32]) {
        match &self.source {
            Source::Given(mean, variance) => (mean, variance),
            Source::Adapted(mean, variance) => (&ctx.params[*mean].value, &ctx.params[*variance].value),
        }
    }
}

const EPSILON: f32 = 1e-7;

impl Op for Normalize {
    fn name(&self) -> &'static str {
        "normalization"
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        outs[0].resize(ins[0].shape())?;
        let (mean, variance) = self.numbers(ctx);
        let size = mean.len().max(1);
        for (index, (y, &x)) in outs[0].data_mut().iter_mut().zip(ins[0].data()).enumerate() {
            let unit = index % size;
            *y = (x - mean[unit]) / variance[unit].sqrt().max(EPSILON);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (_, variance) = self.numbers(ctx);
        let size = variance.len().max(1);
        if let Some(gin) = &mut gins[0] {
            for (index, (gx, &gy)) in gin.data_mut().iter_mut().zip(gouts[0].data()).enumerate() {
                *gx += gy / variance[index % size].sqrt().max(EPSILON);
            }
        }
        Ok(())
    }
}

fn category_encoding(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let tokens = call.config.size("num_tokens")?;
    Ok(vec![encode(call, &x, tokens)?])
}

/// Numbers of classes as vectors, in the layer's `output_mode`.
pub(super) fn encode(call: &mut Call<'_>, x: &Sym, tokens: usize) -> Result<Sym, Unsupported> {
    let mode = match call.config.text("output_mode", "multi_hot")? {
        "one_hot" => Mode::OneHot,
        "multi_hot" => Mode::MultiHot,
        "count" => Mode::Count,
        _ => return Err(call.config.not("output_mode")),
    };
    let mut shape = x.shape.clone();
    if x.rank() > 1 && (mode != Mode::OneHot || shape.last() == Some(&Some(1))) {
        shape.pop();
    }
    shape.push(Some(tokens));
    Ok(call.builder.op(Encode { tokens, mode }, &[x], shape))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    OneHot,
    MultiHot,
    Count,
}

struct Encode {
    tokens: usize,
    mode: Mode,
}

impl Op for Encode {
    fn name(&self) -> &'static str {
        "category_encoding"
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let x = ins[0];
        let mut shape = x.shape().to_vec();
        let each = if x.rank() > 1 && (self.mode != Mode::OneHot || x.last() == 1) {
            shape.pop().unwrap_or(1)
        } else {
            1
        };
        shape.push(self.tokens);
        outs[0].zero(&shape)?;
        let rows = outs[0].data_mut().chunks_exact_mut(self.tokens);
        for (y, ids) in rows.zip(x.data().chunks_exact(each.max(1))) {
            for &id in ids {
                if !(id >= 0.0 && id < self.tokens as f32) {
                    return Err(EngineError::Label {
                        label: id,
                        classes: self.tokens,
                    });
                }
                let place = &mut y[id as usize];
                *place = if self.mode == Mode::Count {
                    *place + 1.0
                } else {
                    1.0
                };
            }
        }
        Ok(())
    }

    fn backward(&mut self, _: &mut Ctx<'_>, _: Backward<'_>) -> Result<(), EngineError> {
        Ok(())
    }
}
