//! `Dense`.

use super::Entry;
use crate::graph::{Call, ParamId, Sym};
use crate::native::{Mat, matmul, wide};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[Entry::new("Dense", dense)];

fn dense(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    if x.rank() < 2 {
        return Err(call.unsupported("an input without features"));
    }
    let features = call.known(&x, x.rank() - 1)?;
    let units = call.config.size("units")?;
    let kernel = call.weight("kernel", &[features, units], true)?;
    let bias = if call.config.flag("use_bias", true)? {
        Some(call.weight("bias", &[units], true)?)
    } else {
        None
    };
    let mut shape = x.shape.clone();
    shape.pop();
    shape.push(Some(units));
    let op = Affine {
        kernel,
        bias,
        features,
        units,
    };
    let y = call.builder.op(op, &[&x], shape);
    Ok(vec![call.activate(y)?])
}

/// `y = x · kernel + bias` over the last axis.
pub(super) struct Affine {
    pub kernel: ParamId,
    pub bias: Option<ParamId>,
    /// Size of the last axis before and after.
    pub features: usize,
    pub units: usize,
}

/// Fills each row with the bias.
pub(super) fn spread_bias(out: &mut [f32], bias: &[f32]) {
    for row in out.chunks_exact_mut(bias.len().max(1)) {
        row.copy_from_slice(bias);
    }
}

/// Adds the sum over the rows.
pub(super) fn add_rows(sum: &mut [f32], rows: &[f32]) {
    wide(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(sum.len().max(1)) {
                for (sum, &value) in sum.iter_mut().zip(row) {
                    *sum += value;
                }
            }
        },
    );
}

impl Op for Affine {
    fn name(&self) -> &'static str {
        "matmul"
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
        let (x, y) = (ins[0], &mut outs[0]);
        let kernel = &ctx.params[self.kernel];
        let (features, units) = (self.features, self.units);
        if x.last() != features {
            return Err(EngineError::shape(
                &kernel.layer,
                format!("input of shape {:?} for {features} features", x.shape()),
            ));
        }
        let mut shape = x.shape().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = units;
        }
        y.resize(&shape)?;
        if let Some(bias) = self.bias {
            spread_bias(y.data_mut(), &ctx.params[bias].value);
        }
        let sizes = (x.rows(), features, units);
        let (a, b) = (Mat::rows(x.data(), features), Mat::rows(&kernel.value, units));
        matmul(sizes, a, b, y.data_mut(), units, self.bias.is_some());
        Ok(())
    }

    fn backward(
        &mut self,
        ctx: &mut Ctx<'_>,
        Backward { ins, gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        let (x, gy) = (ins[0], gouts[0]);
        let (features, units, rows) = (x.last(), gy.last(), x.rows());
        if let Some(bias) = self.bias {
            add_rows(ctx.params[bias].grad_mut(), gy.data());
        }
        let kernel = &mut ctx.params[self.kernel];
        let (xt, gym) = (Mat::transposed(x.data(), features), Mat::rows(gy.data(), units));
        kernel.touched = true;
        matmul((features, rows, units), xt, gym, &mut kernel.grad, units, true);
        if let Some(gx) = &mut gins[0] {
            let turned = Mat::transposed(&kernel.value, units);
            matmul(
                (rows, units, features),
                gym,
                turned,
                gx.data_mut(),
                features,
                true,
            );
        }
        Ok(())
    }
}
