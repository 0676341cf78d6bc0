//! `Discretization`: numbers by the interval they fall into.

use serde_json::Value;

use super::Entry;
use super::preprocessing::encode;
use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor, Unsupported};

pub(super) const LAYERS: &[Entry] = &[Entry::unmasked("Discretization", discretization)];

fn discretization(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let bounds: Option<Vec<f32>> = call
        .config
        .get("bin_boundaries")
        .and_then(Value::as_array)
        .and_then(|bounds| {
            bounds
                .iter()
                .map(|bound| bound.as_f64().map(|bound| bound as f32))
                .collect()
        });
    let bounds = bounds
        .filter(|bounds| bounds.is_sorted())
        .ok_or_else(|| call.config.not("bin_boundaries"))?;
    let bins = bounds.len() + 1;
    let shape = x.shape.clone();
    let places = call.builder.op(Bins { bounds }, &[&x], shape);
    Ok(vec![match call.config.text("output_mode", "int")? {
        "int" => places,
        _ => encode(call, &places, bins)?,
    }])
}

struct Bins {
    bounds: Vec<f32>,
}

impl Op for Bins {
    fn name(&self) -> &'static str {
        "discretization"
    }

    fn differentiable(&self) -> bool {
        false
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        outs[0].resize(ins[0].shape())?;
        for (y, &x) in outs[0].data_mut().iter_mut().zip(ins[0].data()) {
            *y = self.bounds.partition_point(|&bound| bound <= x) as f32;
        }
        Ok(())
    }

    fn backward(&mut self, _: &mut Ctx<'_>, _: Backward<'_>) -> Result<(), EngineError> {
        Ok(())
    }
}
