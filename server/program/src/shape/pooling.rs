//! Pooling.

use super::arguments::Arguments;
use super::convolution::{Parts, Window};
use super::{Inference, Inferred, Shape};
use crate::Value;

pub(super) fn infer(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Option<Inference> {
    let spatial = match class.strip_suffix('D')?.chars().last()? {
        '1' => 1,
        '2' => 2,
        '3' => 3,
        _ => return None,
    };
    let name = class.get(..class.len() - 2)?;
    let Some(input) = input else {
        let known = matches!(
            name,
            "MaxPooling" | "AveragePooling" | "GlobalMaxPooling" | "GlobalAveragePooling"
        );
        return known.then(|| Ok(Inferred::weightless(None)));
    };
    match name {
        "MaxPooling" | "AveragePooling" => Some(pool(spatial, layer, input)),
        "GlobalMaxPooling" | "GlobalAveragePooling" => Some(global(spatial, layer, input)),
        _ => None,
    }
}

fn pool(spatial: usize, layer: &Arguments<'_>, input: &Shape) -> Inference {
    let unknown = Inferred::weightless(None);
    let Some(channels_last) = layer.channels_last() else {
        return Ok(unknown);
    };
    let Some(parts) = Parts::of(layer, input, spatial, channels_last)? else {
        return Ok(unknown);
    };
    let Some(pool) = layer.sizes("pool_size", spatial, 2) else {
        return Ok(unknown);
    };
    let strides = match layer.value("strides") {
        Some(None | Some(Value::None)) => Some(pool.clone()),
        Some(Some(value)) => super::arguments::sizes_of(value, spatial),
        None => None,
    };
    let (Some(strides), Some(padding)) = (strides, layer.text("padding", "valid")) else {
        return Ok(unknown);
    };
    let window = Window {
        layer,
        input,
        argument: "pool_size",
        padding,
    };
    let mut sizes = Vec::with_capacity(spatial);
    for ((size, pool), stride) in parts.spatial.iter().zip(&pool).zip(&strides) {
        let slid = match size {
            Some(size) => match window.slide(*size, *pool, *stride)? {
                Some(slid) => Some(slid),
                None => return Ok(unknown),
            },
            None => None,
        };
        sizes.push(slid);
    }
    Ok(Inferred::weightless(Some(parts.with(sizes, parts.channels))))
}

fn global(spatial: usize, layer: &Arguments<'_>, input: &Shape) -> Inference {
    let unknown = Inferred::weightless(None);
    let (Some(channels_last), Some(keep)) = (layer.channels_last(), layer.bool("keepdims", false)) else {
        return Ok(unknown);
    };
    let Some(parts) = Parts::of(layer, input, spatial, channels_last)? else {
        return Ok(unknown);
    };
    let output = if keep {
        parts.with(vec![Some(1); spatial], parts.channels)
    } else {
        Shape(vec![parts.batch, parts.channels])
    };
    Ok(Inferred::weightless(Some(output)))
}
