//! Activity regularizers: a penalty on a layer's output.

use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::regularizers::Regularizer;
use crate::{EngineError, Tensor};

struct Penalty {
    regularizer: Regularizer,
    gradient: Vec<f32>,
}

/// Puts the penalty on a value.
pub(crate) fn penalize(call: &mut Call<'_>, regularizer: Regularizer, x: &Sym) -> Sym {
    let op = Penalty {
        regularizer,
        gradient: Vec::new(),
    };
    let shape = x.shape.clone();
    let y = call.builder.op(op, &[x], shape);
    Sym {
        id: y.id,
        ..x.clone()
    }
}

impl Op for Penalty {
    fn name(&self) -> &'static str {
        "activity_regularizer"
    }

    fn forward(
        &mut self,
        ctx: &mut Ctx<'_>,
        ins: &[&Tensor],
        outs: &mut [Tensor],
    ) -> Result<(), EngineError> {
        outs[0].copy_from(ins[0].view())?;
        self.gradient.clear();
        self.gradient.resize(ins[0].len(), 0.0);
        let samples = ins[0].dim(0).max(1) as f32;
        let penalty = self
            .regularizer
            .penalize(ins[0].shape(), ins[0].data(), Some(&mut self.gradient));
        ctx.added_loss += penalty / samples;
        self.gradient.iter_mut().for_each(|value| *value /= samples);
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        if let Some(gin) = &mut gins[0] {
            let parts = gouts[0].data().iter().zip(&self.gradient);
            for (gx, (&gy, &own)) in gin.data_mut().iter_mut().zip(parts) {
                *gx += gy + own;
            }
        }
        Ok(())
    }
}
