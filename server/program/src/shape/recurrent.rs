//! Recurrent layers and the wrappers that go with them.

use super::arguments::{Arguments, product};
use super::{Inference, Inferred, Shape, ShapeError, one};
use crate::Value;

const AXES: &str = "(batch, steps, features)";

pub(super) fn infer(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Option<Inference> {
    Some(match class {
        "SimpleRNN" | "LSTM" | "GRU" => recurrent(class, layer, input),
        "Bidirectional" => bidirectional(layer, input),
        "TimeDistributed" => time_distributed(layer, input),
        _ => return None,
    })
}

fn recurrent(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Inference {
    let Some(input) = input else {
        return Ok(Inferred::default());
    };
    steps(layer, input)?;
    let [batch, steps, features] = input.0.as_slice() else {
        return Ok(Inferred::default());
    };
    let Some(units) = layer.size("units") else {
        return Ok(Inferred::default());
    };
    let output = layer.bool("return_sequences", false).map(|sequences| {
        Shape(if sequences {
            vec![*batch, *steps, Some(units)]
        } else {
            vec![*batch, Some(units)]
        })
    });
    let weights = |features: u64, bias: bool| {
        let bias = match (bias, class) {
            (false, _) => 0,
            // One bias for the input and one for the state, unless the reset gate comes first.
            (true, "GRU") => 1 + u64::from(layer.bool("reset_after", true)?),
            (true, _) => 1,
        };
        let gates = match class {
            "LSTM" => 4,
            "GRU" => 3,
            _ => 1,
        };
        product([gates, units, features.checked_add(units)?.checked_add(bias)?])
    };
    let params = features
        .zip(layer.bool("use_bias", true))
        .and_then(|(features, bias)| weights(features, bias));
    Ok(Inferred::new(output, params))
}

fn steps(layer: &Arguments<'_>, input: &Shape) -> Result<(), ShapeError> {
    layer.rank(input, 3, AXES).map_err(|error| ShapeError {
        message: match input.0.len() {
            2 => format!(
                "{}; a recurrent layer before it gives only its last step unless return_sequences=True",
                error.message
            ),
            _ => error.message,
        },
        ..error
    })
}

/// The layer that a wrapper holds.
fn wrapped<'a>(layer: &Arguments<'a>) -> Option<Arguments<'a>> {
    let Some(Some(Value::Call(call))) = layer.value("layer") else {
        return None;
    };
    let call = layer.program.call(*call);
    // A wrapper around a wrapper could hold itself.
    let plain = !matches!(call.class(), "Bidirectional" | "TimeDistributed");
    (plain && call.callee.starts_with("keras.layers.")).then_some(Arguments {
        program: layer.program,
        call,
        channels_may_be_first: layer.channels_may_be_first,
    })
}

fn bidirectional(layer: &Arguments<'_>, input: Option<&Shape>) -> Inference {
    let Some(inner) = wrapped(layer) else {
        return Ok(Inferred::default());
    };
    if let Some(input) = input {
        steps(layer, input)?;
    }
    let forward = one(inner.call.class(), &inner, input)?;
    let params = match layer.value("backward_layer") {
        Some(None | Some(Value::None)) => forward.params.and_then(|params| params.checked_mul(2)),
        _ => None,
    };
    let doubled = match layer.value("merge_mode") {
        Some(None) => Some(true),
        Some(Some(Value::Str(mode))) => Some(mode == "concat"),
        _ => None,
    };
    let output = forward.output.zip(doubled).map(|(mut shape, doubled)| {
        if doubled && let Some(Some(last)) = shape.0.last_mut() {
            *last = last.saturating_mul(2);
        }
        shape
    });
    Ok(Inferred::new(output, params))
}

fn time_distributed(layer: &Arguments<'_>, input: Option<&Shape>) -> Inference {
    let (Some(inner), Some(input)) = (wrapped(layer), input) else {
        return Ok(Inferred::default());
    };
    let [batch, steps, rest @ ..] = input.0.as_slice() else {
        return Ok(Inferred::default());
    };
    if rest.is_empty() {
        return Err(ShapeError {
            range: layer.call.range,
            message: format!(
                "TimeDistributed takes inputs of at least 3 axes, {AXES}, but this one has the shape {input}; \
                 a recurrent layer before it gives only its last step unless return_sequences=True"
            ),
        });
    }
    let step = Shape([&[*batch], rest].concat());
    let inferred = one(inner.call.class(), &inner, Some(&step))?;
    let output = inferred.output.map(|shape| {
        let mut sizes = shape.0;
        sizes.insert(1, *steps);
        Shape(sizes)
    });
    Ok(Inferred::new(output, inferred.params))
}
