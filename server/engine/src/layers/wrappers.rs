//! `TimeDistributed` and `Bidirectional`: layers around another layer.

use serde_json::Value;

use super::Entry;
use super::gather::{Rule, gather};
use super::merge;
use crate::Unsupported;
use crate::graph::{Call, Sym};
use crate::op::{Backward, Ctx, Op};
use crate::{EngineError, Tensor};

pub(super) const LAYERS: &[Entry] = &[
    Entry::new("TimeDistributed", time_distributed),
    Entry::unmasked("Bidirectional", bidirectional),
];

fn time_distributed(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    if x.rank() < 3 {
        return Err(call.unsupported("an input without time steps"));
    }
    let layer = call.config.get("layer").ok_or_else(|| call.config.not("layer"))?;
    let around = call.steps;
    if contains(layer, "BatchNormalization", 0) {
        // Each time step is a batch of its own there.
        if x.mask.is_some() {
            return Err(call.unsupported("BatchNormalization of masked time steps"));
        }
        call.steps = around.saturating_mul(call.known(&x, 1)?);
    }
    let mut inner = vec![None];
    inner.extend_from_slice(&x.shape[2..]);
    let folded = call.builder.op(Fold, &[&x], inner);
    let inner = call.inner(layer, vec![folded]);
    call.steps = around;
    let [y]: [Sym; 1] = inner?
        .try_into()
        .map_err(|_| call.unsupported("several outputs"))?;
    let mut shape = vec![None, x.shape[1]];
    shape.extend_from_slice(&y.shape[1..]);
    let out = call.builder.op(Unfold, &[&y, &x], shape);
    Ok(vec![out])
}

fn contains(value: &Value, class: &str, depth: usize) -> bool {
    depth < 100
        && match value {
            Value::Object(map) => {
                map.get("class_name").and_then(Value::as_str) == Some(class)
                    || map.values().any(|value| contains(value, class, depth + 1))
            }
            Value::Array(items) => items.iter().any(|value| contains(value, class, depth + 1)),
            _ => false,
        }
}

/// `[samples, steps, …]` → `[samples · steps, …]`.
pub(super) struct Fold;

/// The reverse, with the sizes of the second input.
pub(super) struct Unfold;

fn copy_back(gouts: &[&Tensor], gins: &mut [Option<Tensor>]) {
    if let Some(gin) = &mut gins[0] {
        for (gx, &gy) in gin.data_mut().iter_mut().zip(gouts[0].data()) {
            *gx += gy;
        }
    }
}

impl Op for Fold {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let mut shape = vec![ins[0].dim(0) * ins[0].dim(1)];
        shape.extend_from_slice(ins[0].shape().get(2..).unwrap_or_default());
        outs[0].resize(&shape)?;
        outs[0].data_mut().copy_from_slice(ins[0].data());
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        copy_back(gouts, gins);
        Ok(())
    }
}

impl Op for Unfold {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn forward(&mut self, _: &mut Ctx<'_>, ins: &[&Tensor], outs: &mut [Tensor]) -> Result<(), EngineError> {
        let mut shape = vec![ins[1].dim(0), ins[1].dim(1)];
        shape.extend_from_slice(&ins[0].shape()[1..]);
        outs[0].resize(&shape)?;
        if outs[0].len() != ins[0].len() {
            return Err(EngineError::shape(
                "time_distributed",
                format!("{:?}", ins[0].shape()),
            ));
        }
        outs[0].data_mut().copy_from_slice(ins[0].data());
        Ok(())
    }

    fn backward(
        &mut self,
        _: &mut Ctx<'_>,
        Backward { gouts, gins, .. }: Backward<'_>,
    ) -> Result<(), EngineError> {
        copy_back(gouts, gins);
        Ok(())
    }
}

fn bidirectional(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let layer = call.config.get("layer").ok_or_else(|| call.config.not("layer"))?;
    let config = &layer["config"];
    let second = call.config.get("backward_layer");
    if !config.is_object() || second.is_some_and(|second| !second["config"].is_object()) {
        return Err(call.config.not("layer"));
    }
    let backwards = config["go_backwards"].as_bool().unwrap_or(false);
    let sequences = config["return_sequences"].as_bool().unwrap_or(false);
    let given = config["name"].as_str().unwrap_or_default();
    let name = given.strip_prefix("forward_").unwrap_or(given);
    let mut first = layer.clone();
    first["config"]["name"] = format!("forward_{name}").into();
    // Keras writes both halves down; of an older file the second is the first, reversed.
    let second = match second {
        Some(second) => second.clone(),
        None => {
            let mut second = layer.clone();
            second["config"]["go_backwards"] = (!backwards).into();
            second["config"]["name"] = format!("backward_{name}").into();
            second
        }
    };
    // The output of each half, then the states of both.
    let mut states = call.inner(&first, vec![x.clone()])?;
    let mut others = call.inner(&second, vec![x.clone()])?;
    if states.is_empty() || states.len() != others.len() {
        return Err(call.unsupported("halves of two kinds"));
    }
    let ahead = states.remove(0);
    let mut back = others.remove(0);
    states.append(&mut others);
    if sequences {
        back = gather(call, &back, Rule::Reverse(0))?;
    }
    let mask = if sequences { x.mask } else { None };
    let inputs: Vec<Sym> = [ahead, back]
        .into_iter()
        .map(|sym| Sym { mask: None, ..sym })
        .collect();
    let y = match call.config.get("merge_mode").and_then(Value::as_str) {
        Some("concat") => merge::join(call, &inputs, -1)?,
        Some(mode @ ("sum" | "mul" | "ave")) => merge::of_two(call, &inputs, mode)?,
        None => {
            let halves = inputs.into_iter().map(|half| Sym { mask, ..half });
            return Ok(halves.chain(states).collect());
        }
        _ => return Err(call.config.not("merge_mode")),
    };
    let mut outputs = vec![Sym { mask, ..y }];
    outputs.append(&mut states);
    Ok(outputs)
}
