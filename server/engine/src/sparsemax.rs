//! Sparsemax as Keras computes it.

use crate::op::{Backward, Ctx, Op};
use crate::tensor::around;
use crate::{EngineError, Tensor};

/// Along an axis.
pub(crate) struct Sparsemax {
    pub axis: usize,
}

/// What is taken off the values, and the places that it depends on, from the largest value down.
///
/// Keras sums the running sums of the largest values where the published function sums the values themselves, so the
/// outputs do not sum to 1. What Keras trains is what counts here.
fn threshold(x: &[f32], places: impl Iterator<Item = usize>, order: &mut Vec<usize>) -> f32 {
    order.clear();
    order.extend(places);
    order.sort_by(|&a, &b| x[b].total_cmp(&x[a]));
    let (mut sum, mut sums, mut count) = (0.0_f32, 0.0_f32, 0_usize);
    for (at, &place) in order.iter().enumerate() {
        sum += x[place];
        if x[place] - (sum - 1.0) / (at + 1) as f32 > 0.0 {
            sums += sum;
            count += 1;
        }
    }
    order.truncate(count);
    (sums - 1.0) / count as f32
}

/// The places of each row along the axis.
fn rows(shape: &[usize], axis: usize) -> impl Iterator<Item = impl Iterator<Item = usize> + Clone> {
    let (before, size, after) = around(shape, axis);
    (0..before * after).map(move |at| {
        let start = at / after * size * after + at % after;
        (0..size).map(move |inner| start + inner * after)
    })
}

impl Op for Sparsemax {
    fn name(&self) -> &'static str {
        "sparsemax"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        outs[0].resize(ins[0].shape())?;
        let (x, y) = (ins[0].data(), outs[0].data_mut());
        let mut order = Vec::new();
        for places in rows(ins[0].shape(), self.axis) {
            let off = threshold(x, places.clone(), &mut order);
            for place in places {
                let rest = x[place] - off;
                y[place] = if rest < 0.0 { 0.0 } else { rest };
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
        let mut order = Vec::new();
        for places in rows(ins[0].shape(), self.axis) {
            threshold(x, places.clone(), &mut order);
            let mut total = 0.0;
            for place in places.filter(|&place| y[place] > 0.0) {
                gx[place] += gy[place];
                total += gy[place];
            }
            // The largest value is in all of the running sums, the last in one.
            let count = order.len();
            for (at, &place) in order.iter().enumerate() {
                gx[place] -= total * (count - at) as f32 / count as f32;
            }
        }
        Ok(())
    }
}
