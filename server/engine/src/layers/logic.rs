//! The operations on masks that Keras writes into a graph. No gradient passes through them.

use super::Entry;
use super::embedding::Differs;
use super::merge::{operation, places, wider};
use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const OPERATIONS: &[Entry] = &[
    operation("NotEqual", not_equal),
    operation("LogicalOr", logical_or),
    operation("ExpandDims", expand_dims),
    operation("ZerosLike", zeros_like),
    operation("OnesLike", ones_like),
    operation("Any", any),
];

fn not_equal(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let number = call.args.get(1).and_then(serde_json::Value::as_f64);
    let value = number.ok_or_else(|| call.unsupported("its second operand"))? as f32;
    let op = Differs {
        value,
        vectors: false,
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

fn logical_or(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let inputs = std::mem::take(&mut call.inputs);
    let [a, b] = inputs.as_slice() else {
        return Err(call.unsupported("not two operands"));
    };
    let shape = wider(&a.shape, &b.shape)
        .ok_or_else(|| call.unsupported(format!("shapes {:?} and {:?}", a.shape, b.shape)))?;
    Ok(vec![call.builder.op(Logic::Either, &[a, b], shape)])
}

/// 1 where one of two masks of the same shape is.
pub(super) fn either(call: &mut Call<'_>, a: &Sym, b: &Sym) -> Sym {
    let shape = a.shape.clone();
    call.builder.op(Logic::Either, &[a, b], shape)
}

fn expand_dims(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    if call.args[0]["config"]["dtype"].as_str() != Some("bool") {
        // Of numbers, whose gradient passes.
        let axis = call.config.int("axis", 0)?;
        let place = usize::try_from(if axis < 0 {
            axis + 1 + x.rank() as i64
        } else {
            axis
        });
        let place = place.ok().filter(|place| (1..=x.rank()).contains(place));
        let mut sizes = x.shape[1..].to_vec();
        sizes.insert(place.ok_or_else(|| call.config.not("axis"))? - 1, Some(1));
        return Ok(vec![super::reshape::into(call, &x, &sizes)?]);
    }
    if call.config.int("axis", 0)? != -1 {
        return Err(call.config.not("axis"));
    }
    let mut shape = x.shape.clone();
    shape.push(Some(1));
    Ok(vec![call.builder.op(Logic::Column, &[&x], shape)])
}

fn like(call: &mut Call<'_>, op: Logic) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

fn zeros_like(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    like(call, Logic::Fill(0.0))
}

fn ones_like(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    like(call, Logic::Fill(1.0))
}

fn any(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    if call.config.int("axis", 0)? != -1 {
        return Err(call.config.not("axis"));
    }
    call.config.only("keepdims", &[false.into()])?;
    let mut shape = x.shape.clone();
    shape.pop();
    Ok(vec![call.builder.op(Logic::Any, &[&x], shape)])
}

enum Logic {
    Either,
    /// A last axis of size 1.
    Column,
    Fill(f32),
    /// Over the last axis.
    Any,
}

impl Op for Logic {
    fn name(&self) -> &'static str {
        "mask"
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let (x, y) = (ins[0], &mut outs[0]);
        match self {
            Logic::Either => {
                let other = ins[1];
                let fits = x.rank() == other.rank()
                    && x.shape()
                        .iter()
                        .zip(other.shape())
                        .all(|(&a, &b)| a == b || a == 1 || b == 1);
                if !fits {
                    return Err(EngineError::shape(
                        "mask",
                        format!("{:?} and {:?}", x.shape(), other.shape()),
                    ));
                }
                let pairs = x.shape().iter().zip(other.shape());
                let shape: Vec<usize> = pairs.map(|(&a, &b)| if a == 1 { b } else { a }).collect();
                y.resize(&shape)?;
                let (of_x, of_other) = (places(&shape, x.shape()), places(&shape, other.shape()));
                for (index, y) in y.data_mut().iter_mut().enumerate() {
                    *y = x.data()[of_x(index)].max(other.data()[of_other(index)]);
                }
            }
            Logic::Column => {
                let mut shape = x.shape().to_vec();
                shape.push(1);
                y.resize(&shape)?;
                y.data_mut().copy_from_slice(x.data());
            }
            Logic::Fill(value) => {
                y.resize(x.shape())?;
                y.data_mut().fill(*value);
            }
            Logic::Any => {
                let size = x.last().max(1);
                y.resize(&x.shape()[..x.rank().saturating_sub(1)])?;
                for (y, x) in y.data_mut().iter_mut().zip(x.data().chunks_exact(size)) {
                    *y = x.iter().copied().fold(0.0, f32::max);
                }
            }
        }
        Ok(())
    }

    fn backward(&mut self, _: &mut Ctx<'_>, _: Backward<'_>) -> Result<(), EngineError> {
        Ok(())
    }
}
