//! Multi-head attention.

use super::arguments::{Arguments, positive, product};
use super::{Inference, Inferred, Shape};
use crate::Value;

pub(super) fn infer(layer: &Arguments<'_>, inputs: &[Option<Shape>]) -> Inference {
    let (Some(Some(query)), Some(Some(value))) = (inputs.first(), inputs.get(1)) else {
        return Ok(Inferred::default());
    };
    if !matches!(layer.value("output_shape"), Some(None | Some(Value::None))) {
        return Ok(Inferred::default());
    }
    // A third may be the key, or a mask.
    let params = (inputs.len() == 2).then(|| params(layer, query, value)).flatten();
    Ok(Inferred::new(Some(query.clone()), params))
}

fn params(layer: &Arguments<'_>, query: &Shape, value: &Shape) -> Option<u64> {
    let last = |shape: &Shape| shape.0.last().copied().flatten();
    let heads = layer.size("num_heads")?;
    let width = layer.size("key_dim")?;
    let value_width = match layer.value("value_dim")? {
        None | Some(Value::None) => width,
        Some(Value::Int(size)) => positive(*size)?,
        Some(_) => return None,
    };
    let bias = u64::from(layer.bool("use_bias", true)?);
    let features = last(query)?;
    let projection = |from: u64, to: u64| product([from.checked_add(bias)?, to]);
    let keys = product([heads, width])?;
    let values = product([heads, value_width])?;
    [
        projection(features, keys)?,
        projection(last(value)?, keys)?,
        projection(last(value)?, values)?,
        projection(values, features)?,
    ]
    .into_iter()
    .try_fold(0_u64, u64::checked_add)
}
