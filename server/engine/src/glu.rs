//! The gated linear unit: one half of an axis, gated by the other.

use crate::functions::sigmoid;
use crate::op::{Backward, Ctx, Op};
use crate::tensor::around;
use crate::{EngineError, Tensor};

/// Along its axis.
pub(crate) struct Glu {
    pub axis: usize,
}

impl Glu {
    /// Calls `visit(place in the result, place of the value, place of its gate)` for each element of the result.
    fn visit(&self, shape: &[usize], mut visit: impl FnMut(usize, usize, usize)) {
        let (before, size, after) = around(shape, self.axis);
        let half = size / 2 * after;
        for outer in 0..before {
            for at in 0..half {
                let from = outer * size * after + at;
                visit(outer * half + at, from, from + half);
            }
        }
    }
}

impl Op for Glu {
    fn name(&self) -> &'static str {
        "glu"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let mut shape = ins[0].shape().to_vec();
        match shape.get_mut(self.axis) {
            Some(size) if size.is_multiple_of(2) => *size /= 2,
            _ => {
                return Err(EngineError::shape(
                    "glu",
                    format!("an input of shape {:?}", ins[0].shape()),
                ));
            }
        }
        outs[0].resize(&shape)?;
        let (x, y) = (ins[0].data(), outs[0].data_mut());
        self.visit(ins[0].shape(), |to, value, gate| {
            y[to] = x[value] * sigmoid(x[gate])
        });
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let Some(gin) = &mut gins[0] else {
            return Ok(());
        };
        let (x, gy, gx) = (ins[0].data(), gouts[0].data(), gin.data_mut());
        self.visit(ins[0].shape(), |to, value, gate| {
            let open = sigmoid(x[gate]);
            gx[value] += gy[to] * open;
            gx[gate] += gy[to] * x[value] * open * (1.0 - open);
        });
        Ok(())
    }
}
