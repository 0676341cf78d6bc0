//! Layers that merge several inputs.

use super::arguments::Arguments;
use super::{Inference, Inferred, Shape, ShapeError};
use crate::Value;

pub(super) fn infer(class: &str, layer: &Arguments<'_>, inputs: &[Option<Shape>]) -> Option<Inference> {
    Some(match class {
        "Add" | "add" | "Subtract" | "subtract" | "Multiply" | "multiply" | "Average" | "average"
        | "Maximum" | "maximum" | "Minimum" | "minimum" => elementwise(layer, inputs),
        "Concatenate" | "concatenate" => concatenate(layer, inputs),
        "Dot" | "dot" => Ok(Inferred::weightless(None)),
        _ => return None,
    })
}

fn known(inputs: &[Option<Shape>]) -> Option<Vec<&Shape>> {
    inputs
        .iter()
        .map(Option::as_ref)
        .collect::<Option<Vec<_>>>()
        .filter(|inputs| inputs.len() > 1)
}

fn all(inputs: &[&Shape]) -> String {
    let shown: Vec<String> = inputs.iter().map(ToString::to_string).collect();
    shown.join(" and ")
}

fn elementwise(layer: &Arguments<'_>, inputs: &[Option<Shape>]) -> Inference {
    let Some(inputs) = known(inputs) else {
        return Ok(Inferred::weightless(None));
    };
    let Some((first, rest)) = inputs.split_first() else {
        return Ok(Inferred::weightless(None));
    };
    if rest.iter().any(|other| other.0.len() != first.0.len()) {
        // Keras gives the smaller ones more axes.
        return Ok(Inferred::weightless(None));
    }
    let mut sizes = first.0.clone();
    for other in rest {
        for (axis, (size, other)) in sizes.iter_mut().zip(&other.0).enumerate() {
            *size = match (*size, *other) {
                (Some(1), other) if axis > 0 => other,
                (size, Some(1)) if axis > 0 => size,
                (Some(left), Some(right)) if left != right => {
                    return Err(ShapeError {
                        range: layer.call.range,
                        message: format!(
                            "{} takes inputs of one shape, but these have {}",
                            layer.call.class(),
                            all(&inputs)
                        ),
                    });
                }
                // The batch is what any input says it is.
                (size, other) if axis == 0 => size.or(other),
                (Some(left), Some(_)) => Some(left),
                _ => None,
            };
        }
    }
    Ok(Inferred::weightless(Some(Shape(sizes))))
}

fn concatenate(layer: &Arguments<'_>, inputs: &[Option<Shape>]) -> Inference {
    let unknown = Inferred::weightless(None);
    let axis = match layer.value("axis") {
        Some(None) => -1,
        Some(Some(Value::Int(axis))) => *axis,
        _ => return Ok(unknown),
    };
    let Some(inputs) = known(inputs) else {
        return Ok(unknown);
    };
    let Some((first, rest)) = inputs.split_first() else {
        return Ok(unknown);
    };
    let rank = first.0.len();
    let place = i64::try_from(rank)
        .ok()
        .map(|rank| if axis < 0 { axis + rank } else { axis });
    let Some(place) = place
        .and_then(|place| usize::try_from(place).ok())
        .filter(|place| (1..rank).contains(place))
    else {
        return Ok(unknown);
    };
    let refused = || ShapeError {
        range: layer.call.range,
        message: format!(
            "{} joins inputs along axis {axis}, so their other axes must agree, but these have {}",
            layer.call.class(),
            all(&inputs)
        ),
    };
    let mut sizes = first.0.clone();
    for other in rest {
        if other.0.len() != rank {
            return Err(refused());
        }
        for (at, (size, other)) in sizes.iter_mut().zip(&other.0).enumerate() {
            *size = match (*size, *other) {
                (Some(left), Some(right)) if at == place => left.checked_add(right),
                (_, _) if at == place => None,
                // Keras lets axes of 1 pass and fails later.
                (Some(1), _) | (_, Some(1)) if at > 0 => return Ok(unknown),
                (Some(left), Some(right)) if left != right => return Err(refused()),
                (size, other) => size.or(other),
            };
        }
    }
    Ok(Inferred::weightless(Some(Shape(sizes))))
}
