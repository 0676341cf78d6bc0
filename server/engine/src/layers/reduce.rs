//! Functions of `keras.ops` that take axes together.

use serde_json::Value;

use super::Entry;
use super::merge::{operation, places};
use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const OPERATIONS: &[Entry] = &[
    operation("Mean", reduce),
    operation("Sum", reduce),
    operation("Max", reduce),
    operation("Min", reduce),
];

fn reduce(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let refused = || call.config.not("axis");
    let given: Option<Vec<usize>> = match call.config.get("axis").ok_or_else(refused)? {
        Value::Array(axes) => axes.iter().map(|axis| x.axis(axis.as_i64()?)).collect(),
        one => one.as_i64().and_then(|axis| x.axis(axis)).map(|axis| vec![axis]),
    };
    let given = given
        .filter(|axes| !axes.is_empty() && !axes.contains(&0))
        .ok_or_else(refused)?;
    call.config.only("initial", &[])?;
    let keep = call.config.flag("keepdims", false)?;
    let axes: Vec<bool> = (0..x.rank()).map(|axis| given.contains(&axis)).collect();
    let kind = match call.class {
        "Mean" => Kind::Mean,
        "Sum" => Kind::Sum,
        "Max" => Kind::Largest(1.0),
        _ => Kind::Largest(-1.0),
    };
    let sizes = x.shape.iter().zip(&axes);
    let shape = sizes
        .filter(|&(_, &reduced)| keep || !reduced)
        .map(|(&size, &reduced)| if reduced { Some(1) } else { size })
        .collect();
    Ok(vec![call.builder.op(Reduce { kind, axes, keep }, &[&x], shape)])
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sum,
    Mean,
    /// After multiplication with this sign.
    Largest(f32),
}

struct Reduce {
    kind: Kind,
    /// Which axes are taken together, and whether they stay with size 1.
    axes: Vec<bool>,
    keep: bool,
}

impl Reduce {
    /// The result's shape with all axes, and the place of each element in it.
    fn plan(&self, shape: &[usize]) -> Result<(Vec<usize>, impl Fn(usize) -> usize + use<>), EngineError> {
        if shape.len() != self.axes.len() {
            return Err(EngineError::shape(
                "reduce",
                format!("an input of shape {shape:?}"),
            ));
        }
        let sizes = shape.iter().zip(&self.axes);
        let own: Vec<usize> = sizes
            .map(|(&size, &reduced)| if reduced { 1 } else { size })
            .collect();
        let place = places(shape, &own);
        Ok((own, place))
    }
}

impl Op for Reduce {
    fn name(&self) -> &'static str {
        "reduce"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let x = ins[0];
        let (own, place) = self.plan(x.shape())?;
        let kept = own
            .iter()
            .zip(&self.axes)
            .filter(|&(_, &reduced)| self.keep || !reduced);
        let shape: Vec<usize> = kept.map(|(&size, _)| size).collect();
        outs[0].resize(&shape)?;
        let y = outs[0].data_mut();
        let start = match self.kind {
            Kind::Largest(_) => f32::NEG_INFINITY,
            _ => 0.0,
        };
        y.fill(start);
        for (index, &x) in x.data().iter().enumerate() {
            let y = &mut y[place(index)];
            *y = match self.kind {
                Kind::Largest(sign) if sign * x > *y || x.is_nan() => sign * x,
                Kind::Largest(_) => *y,
                _ => *y + x,
            };
        }
        let scale = match self.kind {
            Kind::Mean => y.len() as f32 / x.len() as f32,
            Kind::Largest(sign) => sign,
            Kind::Sum => return Ok(()),
        };
        y.iter_mut().for_each(|y| *y *= scale);
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward {
            ins,
            outs,
            gouts,
            gins,
        }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let (x, y, gy) = (ins[0].data(), outs[0].data(), gouts[0].data());
        let (_, place) = self.plan(ins[0].shape())?;
        // Equal largest values share the gradient.
        let mut shares = vec![y.len() as f32 / x.len() as f32; y.len()];
        match self.kind {
            Kind::Sum => shares.fill(1.0),
            Kind::Mean => {}
            Kind::Largest(_) => {
                shares.fill(0.0);
                for (index, &x) in x.iter().enumerate() {
                    shares[place(index)] += f32::from(u8::from(x == y[place(index)]));
                }
                shares.iter_mut().for_each(|share| *share = 1.0 / *share);
            }
        }
        for (index, (gx, &x)) in gin.data_mut().iter_mut().zip(x).enumerate() {
            let at = place(index);
            if !matches!(self.kind, Kind::Largest(_)) || x == y[at] {
                *gx += gy[at] * shares[at];
            }
        }
        Ok(())
    }
}
