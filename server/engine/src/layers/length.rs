//! Division of vectors by their length.

use super::Entry;
use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[Entry::new("UnitNormalization", unit_normalization)];

/// `UnitNormalization` floors the square of the length.
const FLOOR: f32 = 1e-12;
/// `Dot` does so lower.
const DOT_FLOOR: f32 = 1e-14;

fn unit_normalization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let from = super::normalization::trailing(call, &x)?;
    let op = Length {
        axes: (from, x.rank()),
        floor: FLOOR,
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

/// Vectors along one axis, as `Dot` normalises them.
pub(super) fn along(call: &mut Call<'_>, x: &Sym, axis: usize) -> Sym {
    let op = Length {
        axes: (axis, axis + 1),
        floor: DOT_FLOOR,
    };
    let shape = x.shape.clone();
    call.builder.op(op, &[x], shape)
}

/// Divides by the length over neighbouring axes.
struct Length {
    /// The first of them, and the one behind the last.
    axes: (usize, usize),
    floor: f32,
}

impl Length {
    /// The places of each vector.
    fn vectors(&self, shape: &[usize]) -> impl Iterator<Item = std::iter::StepBy<std::ops::Range<usize>>> {
        let size: usize = shape[self.axes.0..self.axes.1].iter().product();
        let after: usize = shape[self.axes.1..].iter().product();
        let before: usize = shape[..self.axes.0].iter().product();
        (0..before * after).map(move |at| {
            let start = at / after * size * after + at % after;
            (start..start + size * after).step_by(after.max(1))
        })
    }
}

impl Op for Length {
    fn name(&self) -> &'static str {
        "unit_normalization"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        outs[0].resize(ins[0].shape())?;
        let (x, y) = (ins[0].data(), outs[0].data_mut());
        for places in self.vectors(ins[0].shape()) {
            let square: f32 = places.clone().map(|at| x[at] * x[at]).sum();
            let scale = 1.0 / square.max(self.floor).sqrt();
            for at in places {
                y[at] = x[at] * scale;
            }
        }
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
        let (x, y, gy, gx) = (ins[0].data(), outs[0].data(), gouts[0].data(), gin.data_mut());
        for places in self.vectors(ins[0].shape()) {
            let square: f32 = places.clone().map(|at| x[at] * x[at]).sum();
            let scale = 1.0 / square.max(self.floor).sqrt();
            let dot: f32 = places.clone().map(|at| y[at] * gy[at]).sum();
            let radial = if square > self.floor { dot } else { 0.0 };
            for at in places {
                gx[at] += scale * (gy[at] - y[at] * radial);
            }
        }
        Ok(())
    }
}
