//! Layers that only change the shape: the values stay in their order.

use serde_json::Value;

use super::Entry;
use crate::graph::{Call, Dim, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[
    Entry::unmasked("Flatten", flatten),
    Entry::unmasked("Reshape", reshape),
    Entry::new("Identity", identity),
    Entry::unmasked("RepeatVector", repeat_vector),
];

fn channels_last(call: &Call<'_>) -> Result<(), Unsupported> {
    match call.config.text("data_format", "channels_last")? {
        "channels_last" => Ok(()),
        _ => Err(call.config.not("data_format")),
    }
}

fn flatten(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    channels_last(call)?;
    let x = call.input()?;
    let product: Dim = x
        .shape
        .get(1..)
        .unwrap_or_default()
        .iter()
        .try_fold(1_usize, |product, size| product.checked_mul((*size)?));
    let shape = vec![None, product];
    Ok(vec![call.builder.op(Reshape(Target::Flat), &[&x], shape)])
}

fn reshape(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let items = match call.config.get("target_shape") {
        Some(Value::Array(items)) => items.clone(),
        _ => return Err(call.config.not("target_shape")),
    };
    let mut target: Vec<Option<usize>> = Vec::new();
    for item in &items {
        target.push(match item.as_i64() {
            Some(-1) => None,
            Some(size) if size > 0 => usize::try_from(size).ok(),
            _ => return Err(call.config.not("target_shape")),
        });
    }
    if target.iter().filter(|size| size.is_none()).count() > 1 {
        return Err(call.config.not("target_shape"));
    }
    let total: Dim = x.shape[1..]
        .iter()
        .try_fold(1_usize, |product, size| product.checked_mul((*size)?));
    let known = target
        .iter()
        .flatten()
        .try_fold(1_usize, |product, &size| product.checked_mul(size));
    let known = known
        .filter(|&size| size > 0)
        .ok_or_else(|| call.config.not("target_shape"))?;
    let shape: Vec<Dim> = std::iter::once(None)
        .chain(
            target
                .iter()
                .map(|size| size.or(total.map(|total| total / known))),
        )
        .collect();
    if let (Some(total), Some(product)) = (
        total,
        shape[1..]
            .iter()
            .try_fold(1_usize, |product, size| product.checked_mul((*size)?)),
    ) && total != product
    {
        return Err(call.unsupported(format!("{total} values do not fit its target shape")));
    }
    let op = Reshape(Target::Shape(target, known));
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

fn identity(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    Ok(vec![same(call, &x)])
}

/// The same value under a number of its own, as a layer's output needs it; a remembered logit stays.
pub(super) fn same(call: &mut Call<'_>, x: &Sym) -> Sym {
    let shape = x.shape.clone();
    let y = call.builder.op(Reshape(Target::Same), &[x], shape);
    Sym {
        mask: x.mask,
        logits: x.logits,
        ..y
    }
}

/// The values of each sample in these axes, of which at most one is open.
pub(super) fn into(call: &mut Call<'_>, x: &Sym, sizes: &[Dim]) -> Result<Sym, Unsupported> {
    let known = sizes
        .iter()
        .flatten()
        .try_fold(1_usize, |product, &size| product.checked_mul(size));
    let open = sizes.iter().filter(|size| size.is_none()).count();
    let known = known
        .filter(|&known| known > 0 && open <= 1)
        .ok_or_else(|| call.unsupported("several axes of open size"))?;
    let op = Reshape(Target::Shape(sizes.to_vec(), known));
    let shape = std::iter::once(None).chain(sizes.iter().copied()).collect();
    Ok(call.builder.op(op, &[x], shape))
}

/// Puts the last `from` axes into these.
pub(super) fn to_last(call: &mut Call<'_>, x: &Sym, from: usize, to: &[usize], shape: Vec<Dim>) -> Sym {
    let op = Reshape(Target::Last(from, to.to_vec()));
    call.builder.op(op, &[x], shape)
}

enum Target {
    /// The last so many axes become these.
    Last(usize, Vec<usize>),
    Same,
    Flat,
    /// Sizes after the batch, the open one computed from the others' product.
    Shape(Vec<Option<usize>>, usize),
}

struct Reshape(Target);

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        let samples = x.dim(0);
        let each = x.shape().get(1..).unwrap_or_default().iter().product::<usize>();
        let shape = match &self.0 {
            Target::Last(from, to) => {
                let kept = x.rank().saturating_sub(*from);
                x.shape()[..kept].iter().chain(to).copied().collect()
            }
            Target::Same => x.shape().to_vec(),
            Target::Flat => vec![samples, each],
            Target::Shape(target, known) => std::iter::once(samples)
                .chain(target.iter().map(|size| size.unwrap_or(each / known)))
                .collect(),
        };
        if shape.iter().product::<usize>() != x.len() {
            return Err(EngineError::shape(
                "reshape",
                format!("{:?} does not become {shape:?}", x.shape()),
            ));
        }
        y.resize(&shape)?;
        y.data_mut().copy_from_slice(x.data());
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        if let Some(gin) = &mut gins[0] {
            for (gx, &gy) in gin.data_mut().iter_mut().zip(gouts[0].data()) {
                *gx += gy;
            }
        }
        Ok(())
    }
}

fn repeat_vector(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let times = call.config.size("n")?;
    if x.rank() != 2 {
        return Err(call.unsupported("an input that is no vector"));
    }
    let shape = vec![None, Some(times), x.shape[1]];
    Ok(vec![call.builder.op(Repeat(times), &[&x], shape)])
}

struct Repeat(usize);

impl Op for Repeat {
    fn name(&self) -> &'static str {
        "repeat"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (samples, size) = (ins[0].dim(0), ins[0].last());
        outs[0].resize(&[samples, self.0, size])?;
        let rows = outs[0].data_mut().chunks_exact_mut((self.0 * size).max(1));
        for (out, x) in rows.zip(ins[0].data().chunks_exact(size.max(1))) {
            for part in out.chunks_exact_mut(size) {
                part.copy_from_slice(x);
            }
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
            let rows = gouts[0].data().chunks_exact(self.0 * size);
            for (gx, gy) in gin.data_mut().chunks_exact_mut(size).zip(rows) {
                super::dense::add_rows(gx, gy);
            }
        }
        Ok(())
    }
}
