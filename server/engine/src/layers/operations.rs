//! Functions of `keras.ops` that scripts use between layers: element by element, and those that change the shape.

use serde_json::Value;

use super::Entry;
use super::gather::{Rule, Slice, gather, reordered};
use super::merge::{join, operation, products};
use super::reshape;
use crate::Unsupported;
use crate::activations::{Activation, Plain};
use crate::functions::exp;
use crate::graph::{Call, Dim, Sym};
use crate::op::Elementwise;

pub(super) const OPERATIONS: &[Entry] = &[
    operation("Absolute", plain),
    operation("Exp", plain),
    operation("Log", plain),
    operation("Log1p", plain),
    operation("Sqrt", plain),
    operation("Rsqrt", plain),
    operation("Reciprocal", plain),
    operation("Sin", plain),
    operation("Cos", plain),
    operation("Tanh", activation),
    operation("Sigmoid", activation),
    operation("Relu", activation),
    operation("Softmax", activation),
    operation("Silu", activation),
    operation("Softplus", activation),
    operation("Gelu", activation),
    operation("LeakyRelu", activation),
    operation("Power", power),
    operation("Clip", clip),
    operation("GetItem", get_item),
    operation("Reshape", new_shape),
    operation("Transpose", transpose),
    operation("Swapaxes", transpose),
    operation("Squeeze", squeeze),
    operation("Stack", stack),
    operation("Flip", flip),
    operation("Repeat", repeat),
    operation("Matmul", matmul),
];

/// A function and its slope, given its argument and its value.
type Function = (fn(f32) -> f32, fn(f32, f32) -> f32);

fn plain(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let (forward, slope): Function = match call.class {
        "Absolute" => (f32::abs, |x, _| if x == 0.0 { 0.0 } else { x.signum() }),
        "Exp" => (exp, |_, y| y),
        "Log" => (f32::ln, |x, _| 1.0 / x),
        "Log1p" => (f32::ln_1p, |x, _| 1.0 / (1.0 + x)),
        "Sqrt" => (f32::sqrt, |_, y| 0.5 / y),
        "Rsqrt" => (|x| 1.0 / x.sqrt(), |_, y| -0.5 * y * y * y),
        "Reciprocal" => (|x| 1.0 / x, |_, y| -y * y),
        "Sin" => (f32::sin, |x, _| x.cos()),
        _ => (f32::cos, |x, _| -x.sin()),
    };
    let op = Elementwise {
        name: "function",
        forward,
        backward: move |x: f32, y: f32, gy: f32| gy * slope(x, y),
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

fn activation(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let relu = |slope: f32| Activation::Relu {
        slope,
        max: f32::INFINITY,
        threshold: 0.0,
    };
    let kind = match call.class {
        "Tanh" => Activation::Plain(Plain::Tanh),
        "Sigmoid" => Activation::Plain(Plain::Sigmoid),
        "Relu" => relu(0.0),
        "LeakyRelu" => relu(call.config.f32("negative_slope", 0.2)?),
        "Softmax" => Activation::Softmax(call.config.int("axis", -1)?),
        "Silu" => Activation::Plain(Plain::Silu),
        "Softplus" => Activation::Plain(Plain::Softplus),
        _ => Activation::Gelu(call.config.flag("approximate", true)?),
    };
    let y = call.apply(kind, x)?;
    // Only the activation of a layer leaves its logits for the loss.
    Ok(vec![Sym { logits: None, ..y }])
}

/// A value to the power of a number.
fn power(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let exponent = call.args.get(1).and_then(Value::as_f64);
    let exponent = exponent.ok_or_else(|| call.unsupported("its exponent"))? as f32;
    let op = Elementwise {
        name: "power",
        forward: move |x: f32| x.powf(exponent),
        backward: move |x: f32, _, gy: f32| gy * exponent * x.powf(exponent - 1.0),
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

fn clip(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let (least, most) = (
        call.config.f32("x_min", f32::NAN)?,
        call.config.f32("x_max", f32::NAN)?,
    );
    if least.is_nan() || most.is_nan() || least > most {
        return Err(call.unsupported("its bounds"));
    }
    let op = Elementwise {
        name: "clip",
        forward: move |x: f32| x.clamp(least, most),
        backward: move |x: f32, _, gy: f32| if (least..=most).contains(&x) { gy } else { 0.0 },
    };
    let shape = x.shape.clone();
    Ok(vec![call.builder.op(op, &[&x], shape)])
}

/// An axis of an argument, never that of the samples.
fn axis(call: &Call<'_>, key: &str, x: &Sym) -> Result<usize, Unsupported> {
    let axis = call.config.get(key).and_then(Value::as_i64);
    axis.and_then(|axis| x.axis(axis))
        .filter(|&axis| axis > 0)
        .ok_or_else(|| call.config.not(key))
}

/// The same values without these axes, which have size 1.
fn without(call: &mut Call<'_>, x: &Sym, axes: &[usize]) -> Result<Sym, Unsupported> {
    let kept: Vec<Dim> = (1..x.rank())
        .filter(|axis| !axes.contains(axis))
        .map(|axis| x.shape[axis])
        .collect();
    reshape::into(call, x, &kept)
}

/// `x[:, from:to, index]`.
fn get_item(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let refused = || call.unsupported("a subscript that is not covered");
    let given = call.args.get(1).ok_or_else(refused)?;
    let mut items: Vec<&Value> = match given {
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    };
    let class = |item: &Value| item["class_name"].as_str().unwrap_or_default().to_owned();
    let whole = serde_json::json!({"class_name": "__slice__", "config": {}});
    if let Some(at) = items.iter().position(|item| class(item) == "__ellipsis__") {
        let missing = (x.rank() + 1).checked_sub(items.len()).ok_or_else(refused)?;
        items.splice(at..=at, std::iter::repeat_n(&whole, missing));
    }
    if items.len() > x.rank() {
        return Err(refused());
    }
    let (mut slices, mut dropped) = (Vec::new(), Vec::new());
    for (axis, item) in items.into_iter().enumerate() {
        let slice = if let Some(index) = item.as_i64() {
            dropped.push(axis);
            Slice::one(index)
        } else if class(item) == "__slice__" {
            let part = |key: &str| match &item["config"][key] {
                Value::Null => Ok(None),
                value => value.as_i64().map(Some).ok_or_else(refused),
            };
            Slice {
                start: part("start")?,
                stop: part("stop")?,
                step: part("step")?.unwrap_or(1),
            }
        } else {
            return Err(refused());
        };
        if axis == 0 && slice != Slice::ALL || slice.step == 0 {
            return Err(refused());
        }
        if axis > 0 {
            slices.push(slice);
        }
    }
    let y = if slices.iter().all(|slice| *slice == Slice::ALL) {
        x
    } else {
        gather(call, &x, Rule::Slice(slices))?
    };
    Ok(vec![without(call, &y, &dropped)?])
}

fn new_shape(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let refused = || call.config.not("newshape");
    let sizes = call
        .config
        .get("newshape")
        .and_then(Value::as_array)
        .ok_or_else(refused)?;
    let product = |sizes: &[Dim]| {
        sizes
            .iter()
            .try_fold(1_usize, |product, size| product.checked_mul((*size)?))
    };
    let rest: Option<Vec<Dim>> = sizes
        .iter()
        .skip(1)
        .map(|size| {
            usize::try_from(size.as_i64()?)
                .ok()
                .filter(|&size| size > 0)
                .map(Some)
        })
        .collect();
    // The samples stay what they are: all but their axis is known, and holds as much as before.
    let rest = rest.filter(|rest| {
        let known = product(rest);
        sizes
            .first()
            .is_some_and(|first| first.is_null() || first.as_i64() == Some(-1))
            && known.is_some()
            && known == product(&x.shape[1..])
    });
    let rest = rest.ok_or_else(refused)?;
    Ok(vec![reshape::into(call, &x, &rest)?])
}

fn squeeze(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let axis = axis(call, "axis", &x)?;
    if x.shape[axis] != Some(1) {
        return Err(call.config.not("axis"));
    }
    Ok(vec![without(call, &x, &[axis])?])
}

fn transpose(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let mut order: Vec<usize> = (0..x.rank()).collect();
    if call.class == "Swapaxes" {
        let (first, second) = (axis(call, "axis1", &x)?, axis(call, "axis2", &x)?);
        order.swap(first, second);
    } else {
        let axes = call.config.get("axes").and_then(Value::as_array);
        let axes = axes.and_then(|axes| {
            axes.iter()
                .map(|axis| x.axis(axis.as_i64()?))
                .collect::<Option<Vec<_>>>()
        });
        let mut sorted = axes.clone().unwrap_or_default();
        sorted.sort_unstable();
        order = axes
            .filter(|axes| axes.first() == Some(&0) && sorted == order)
            .ok_or_else(|| call.config.not("axes"))?;
    }
    let y = reordered(call, &x, &order)?;
    Ok(vec![Sym { mask: None, ..y }])
}

fn stack(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let inputs = std::mem::take(&mut call.inputs);
    let rank = inputs.first().map_or(0, Sym::rank);
    let axis = call.config.int("axis", 0)?;
    let place = usize::try_from(if axis < 0 { axis + 1 + rank as i64 } else { axis });
    let place = place.ok().filter(|place| (1..=rank).contains(place));
    let place = place.ok_or_else(|| call.config.not("axis"))?;
    let mut parts = Vec::new();
    for x in &inputs {
        let mut shape = x.shape[1..].to_vec();
        shape.insert(place - 1, Some(1));
        parts.push(reshape::into(call, x, &shape)?);
    }
    Ok(vec![join(call, &parts, place as i64)?])
}

fn flip(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let axis = axis(call, "axis", &x)?;
    Ok(vec![gather(call, &x, Rule::Reverse(axis - 1))?])
}

fn repeat(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let axis = axis(call, "axis", &x)?;
    let mut times = vec![1; x.rank() - 1];
    times[axis - 1] = call.config.size("repeats")?;
    Ok(vec![gather(call, &x, Rule::Repeat(times))?])
}

fn matmul(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let [a, b]: [Sym; 2] = std::mem::take(&mut call.inputs)
        .try_into()
        .map_err(|_| call.unsupported("not two operands"))?;
    if a.rank() != 3 || b.rank() != 3 {
        return Err(call.unsupported("operands that are no matrices"));
    }
    Ok(vec![products(call, &a, &b, (2, 1))])
}
