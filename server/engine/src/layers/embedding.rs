//! `Embedding` and `Masking`, the layers that make masks.

use super::Entry;
use crate::graph::{Call, ParamId, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("Embedding", embedding),
    Entry::unmasked("Masking", masking),
];

fn embedding(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let (entries, size) = (call.config.size("input_dim")?, call.config.size("output_dim")?);
    let table = call.weight("embeddings", &[entries, size], true)?;
    let mut shape = x.shape.clone();
    shape.push(Some(size));
    let y = call.builder.op(Lookup { table }, &[&x], shape);
    let mask = if call.config.flag("mask_zero", false)? {
        let op = Differs {
            value: 0.0,
            vectors: false,
        };
        Some(call.builder.op(op, &[&x], x.shape.clone()).id)
    } else {
        None
    };
    Ok(vec![Sym { mask, ..y }])
}

struct Lookup {
    table: ParamId,
}

/// The row of an id, which TensorFlow cuts to an integer.
fn row(id: f32, entries: usize) -> Result<usize, EngineError> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    if id > -1.0 && id < entries as f32 {
        Ok(id.max(0.0) as usize)
    } else {
        Err(EngineError::Label {
            label: id,
            classes: entries,
        })
    }
}

impl Op for Lookup {
    fn name(&self) -> &'static str {
        "embedding"
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
        let table = &ctx.params[self.table];
        let (entries, size) = (table.shape[0], table.shape[1]);
        let mut shape = ins[0].shape().to_vec();
        shape.push(size);
        outs[0].resize(&shape)?;
        for (y, &id) in outs[0].data_mut().chunks_exact_mut(size).zip(ins[0].data()) {
            let row = row(id, entries)?;
            y.copy_from_slice(&table.value[row * size..(row + 1) * size]);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let table = &mut ctx.params[self.table];
        let (entries, size) = (table.shape[0], table.shape[1]);
        table.touched = true;
        for (gy, &id) in gouts[0].data().chunks_exact(size).zip(ins[0].data()) {
            let row = row(id, entries)?;
            let gradient = &mut table.grad[row * size..(row + 1) * size];
            gradient.iter_mut().zip(gy).for_each(|(sum, &part)| *sum += part);
        }
        Ok(())
    }
}

/// 1 where the input, or any value of its vector, differs from a value.
pub(super) struct Differs {
    pub value: f32,
    pub vectors: bool,
}

impl Op for Differs {
    fn name(&self) -> &'static str {
        "mask"
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let x = ins[0];
        let size = if self.vectors { x.last().max(1) } else { 1 };
        let shape = if self.vectors {
            &x.shape()[..x.rank() - 1]
        } else {
            x.shape()
        };
        outs[0].resize(shape)?;
        for (y, x) in outs[0].data_mut().iter_mut().zip(x.data().chunks_exact(size)) {
            *y = f32::from(u8::from(x.iter().any(|&value| value != self.value)));
        }
        Ok(())
    }

    fn backward(&mut self, _: &mut Ctx<'_>, _: Backward<'_>) -> Result<(), EngineError> {
        Ok(())
    }
}

fn masking(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    if x.rank() < 3 {
        return Err(call.unsupported("an input without time steps"));
    }
    let value = call.config.f32("mask_value", 0.0)?;
    let mut shape = x.shape.clone();
    let op = Differs { value, vectors: true };
    shape.pop();
    let mask = call.builder.op(op, &[&x], shape);
    let y = call.builder.op(Blank, &[&x, &mask], x.shape.clone());
    Ok(vec![Sym {
        mask: Some(mask.id),
        ..y
    }])
}

/// Zeros where the mask is 0.
struct Blank;

impl Op for Blank {
    fn name(&self) -> &'static str {
        "masking"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        outs[0].copy_from(ins[0].view())?;
        let size = ins[0].last().max(1);
        for (y, &keep) in outs[0].data_mut().chunks_exact_mut(size).zip(ins[1].data()) {
            y.iter_mut().for_each(|y| *y *= keep);
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let size = ins[0].last().max(1);
        if let Some(gin) = &mut gins[0] {
            let rows = gouts[0].data().chunks_exact(size).zip(ins[1].data());
            for (gx, (gy, &keep)) in gin.data_mut().chunks_exact_mut(size).zip(rows) {
                gx.iter_mut().zip(gy).for_each(|(gx, &gy)| *gx += gy * keep);
            }
        }
        Ok(())
    }
}
