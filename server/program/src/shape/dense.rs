//! Dense and Embedding.

use super::arguments::{Arguments, product};
use super::{Inference, Inferred, Shape, ShapeError};

pub(super) fn infer(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Option<Inference> {
    Some(match class {
        "Dense" => dense(layer, input),
        "Embedding" => Ok(embedding(layer, input)),
        _ => return None,
    })
}

fn dense(layer: &Arguments<'_>, input: Option<&Shape>) -> Inference {
    let Some(input) = input else {
        return Ok(Inferred::default());
    };
    let Some((last, before)) = input.0.split_last().filter(|(_, before)| !before.is_empty()) else {
        return Err(ShapeError {
            range: layer.call.range,
            message: format!(
                "Dense takes inputs of at least 2 axes, the batch and the features, but this one has the shape {input}"
            ),
        });
    };
    let Some(units) = layer.size("units") else {
        return Ok(Inferred::default());
    };
    let output = Shape([before, &[Some(units)]].concat());
    let weights = last.and_then(|last| product([last, units]));
    let bias = layer
        .bool("use_bias", true)
        .map(|bias| if bias { units } else { 0 });
    // Low-rank adapters add weights.
    let plain = matches!(layer.value("lora_rank"), Some(None));
    let params = weights
        .zip(bias)
        .filter(|_| plain)
        .map(|(weights, bias)| weights + bias);
    Ok(Inferred::new(Some(output), params))
}

fn embedding(layer: &Arguments<'_>, input: Option<&Shape>) -> Inferred {
    let (words, width) = (layer.size("input_dim"), layer.size("output_dim"));
    let params = words
        .zip(width)
        .and_then(|(words, width)| product([words, width]));
    // Keras 2 took the number of words per text as an argument.
    let length = layer
        .call
        .argument("input_length")
        .map(|argument| &argument.value.value);
    let output = match (input, length) {
        (Some(input), _) => Some(input.0.clone()),
        (None, Some(crate::Value::Int(length))) => Some(vec![None, u64::try_from(*length).ok()]),
        _ => None,
    };
    let output = output.zip(width).map(|(mut sizes, width)| {
        sizes.push(Some(width));
        Shape(sizes)
    });
    Inferred::new(output, params)
}
