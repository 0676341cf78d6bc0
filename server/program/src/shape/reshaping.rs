//! Layers that move values about: Flatten, Reshape, Permute, RepeatVector, cropping, padding, upsampling.

use super::arguments::{Arguments, product};
use super::convolution::Parts;
use super::{Inference, Inferred, Shape};
use crate::Value;

pub(super) fn infer(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Option<Inference> {
    let known = matches!(
        class,
        "Flatten" | "Reshape" | "Permute" | "RepeatVector" | "Resizing" | "CenterCrop"
    ) || ["Cropping", "ZeroPadding", "UpSampling"]
        .iter()
        .any(|name| class.starts_with(name));
    if !known {
        return None;
    }
    let Some(input) = input else {
        return Some(Ok(Inferred::weightless(None)));
    };
    let result = match class {
        "Flatten" => Ok(flatten(input)),
        "Reshape" => reshape(layer, input),
        "Permute" => permute(layer, input),
        "RepeatVector" => repeat(layer, input),
        "Resizing" | "CenterCrop" => resize(layer, input),
        _ => spatial(class, layer, input),
    };
    Some(result.map(Inferred::weightless))
}

type Reshaped = Result<Option<Shape>, super::ShapeError>;

fn flatten(input: &Shape) -> Option<Shape> {
    let (batch, rest) = input.0.split_first()?;
    let known: Option<Vec<u64>> = rest.iter().copied().collect();
    let size = match known {
        Some(sizes) => Some(product(sizes)?),
        None => None,
    };
    Some(Shape(vec![*batch, size]))
}

fn reshape(layer: &Arguments<'_>, input: &Shape) -> Reshaped {
    let Some(Some(Value::List(items))) = layer.value("target_shape") else {
        return Ok(None);
    };
    let target: Option<Vec<i64>> = items
        .iter()
        .map(|item| match item.value {
            Value::Int(size) if size >= -1 => Some(size),
            _ => None,
        })
        .collect();
    let (Some(target), Some((batch, rest))) = (target, input.0.split_first()) else {
        return Ok(None);
    };
    let total = rest
        .iter()
        .copied()
        .collect::<Option<Vec<u64>>>()
        .and_then(product);
    let fixed = product(target.iter().filter_map(|size| u64::try_from(*size).ok()));
    let open = target.iter().filter(|size| **size == -1).count();
    let Some(fixed) = fixed.filter(|_| open <= 1) else {
        return Ok(None);
    };
    if let Some(total) = total {
        let fits = if open == 0 {
            total == fixed
        } else {
            fixed != 0 && total % fixed == 0
        };
        if !fits {
            let message = format!(
                "the input {input} has {total} values per sample, which cannot be arranged as {}",
                shown(&target)
            );
            return Err(layer.error("target_shape", message));
        }
    }
    let sizes = target.iter().map(|size| match u64::try_from(*size) {
        Ok(size) => Some(size),
        Err(_) => total.map(|total| total / fixed.max(1)),
    });
    Ok(Some(Shape(std::iter::once(*batch).chain(sizes).collect())))
}

fn shown(sizes: &[i64]) -> String {
    let sizes: Vec<String> = sizes.iter().map(i64::to_string).collect();
    match sizes.as_slice() {
        [only] => format!("({only},)"),
        sizes => format!("({})", sizes.join(", ")),
    }
}

fn permute(layer: &Arguments<'_>, input: &Shape) -> Reshaped {
    let Some(Some(Value::List(items))) = layer.value("dims") else {
        return Ok(None);
    };
    if items.len() + 1 != input.0.len() {
        let message = format!(
            "Permute orders {} axes, but the input {input} has {} besides the batch",
            items.len(),
            input.0.len().saturating_sub(1)
        );
        return Err(layer.error("dims", message));
    }
    let mut sizes = vec![input.0.first().copied().flatten()];
    for item in items {
        let Value::Int(axis) = item.value else {
            return Ok(None);
        };
        let Some(size) = usize::try_from(axis).ok().and_then(|axis| input.0.get(axis)) else {
            return Ok(None);
        };
        sizes.push(*size);
    }
    Ok(Some(Shape(sizes)))
}

fn repeat(layer: &Arguments<'_>, input: &Shape) -> Reshaped {
    layer.rank(input, 2, "(batch, features)")?;
    let Some(times) = layer.size("n") else {
        return Ok(None);
    };
    let mut sizes = input.0.clone();
    sizes.insert(1, Some(times));
    Ok(Some(Shape(sizes)))
}

fn resize(layer: &Arguments<'_>, input: &Shape) -> Reshaped {
    let (Some(height), Some(width), Some(true)) =
        (layer.size("height"), layer.size("width"), layer.channels_last())
    else {
        return Ok(None);
    };
    let [batch, _, _, channels] = input.0.as_slice() else {
        return Ok(None);
    };
    Ok(Some(Shape(vec![*batch, Some(height), Some(width), *channels])))
}

/// Cropping, padding and upsampling of each spatial axis.
fn spatial(class: &str, layer: &Arguments<'_>, input: &Shape) -> Reshaped {
    let axes = match class.chars().rev().nth(1) {
        Some('1') => 1,
        Some('2') => 2,
        Some('3') => 3,
        _ => return Ok(None),
    };
    // Layers over one axis know no other order.
    let channels_last = if axes == 1 {
        Some(true)
    } else {
        layer.channels_last()
    };
    let Some(channels_last) = channels_last else {
        return Ok(None);
    };
    let Some(parts) = Parts::of(layer, input, axes, channels_last)? else {
        return Ok(None);
    };
    let mut sizes = Vec::with_capacity(axes);
    if class.starts_with("UpSampling") {
        let Some(times) = layer.sizes("size", axes, 2) else {
            return Ok(None);
        };
        for (size, times) in parts.spatial.iter().zip(times) {
            sizes.push(match size {
                Some(size) => match size.checked_mul(times) {
                    Some(size) => Some(size),
                    None => return Ok(None),
                },
                None => None,
            });
        }
        return Ok(Some(parts.with(sizes, parts.channels)));
    }
    let crop = class.starts_with("Cropping");
    let argument = if crop { "cropping" } else { "padding" };
    let default = match (crop, axes) {
        (true, 2) => (0, 0),
        _ => (1, 1),
    };
    let borders = match layer.value(argument) {
        None => None,
        Some(None) => Some(vec![default; axes]),
        Some(Some(value)) => borders(value, axes),
    };
    let Some(borders) = borders else { return Ok(None) };
    for (size, (before, after)) in parts.spatial.iter().zip(borders) {
        let border = before + after;
        sizes.push(match size {
            Some(size) if crop && border >= *size => {
                let message = format!(
                    "cropping {before} + {after} of an axis of {size} of the input {input} leaves nothing"
                );
                return Err(layer.error(argument, message));
            }
            Some(size) if crop => Some(size - border),
            Some(size) => Some(size.saturating_add(border)),
            None => None,
        });
    }
    Ok(Some(parts.with(sizes, parts.channels)))
}

/// What is cut off or added before and after each axis.
fn borders(value: &Value, axes: usize) -> Option<Vec<(u64, u64)>> {
    const WIDEST: u64 = 1 << 32;
    let size = |value: &Value| match value {
        Value::Int(size) => u64::try_from(*size).ok().filter(|size| *size < WIDEST),
        _ => None,
    };
    if let Some(size) = size(value) {
        return Some(vec![(size, size); axes]);
    }
    let Value::List(items) = value else { return None };
    let pair = |items: &[crate::Expr]| match items {
        [before, after] => Some((size(&before.value)?, size(&after.value)?)),
        _ => None,
    };
    if axes == 1 {
        return Some(vec![pair(items)?]);
    }
    (items.len() == axes)
        .then(|| {
            items
                .iter()
                .map(|item| match &item.value {
                    Value::List(items) => pair(items),
                    value => size(value).map(|size| (size, size)),
                })
                .collect()
        })
        .flatten()
}
