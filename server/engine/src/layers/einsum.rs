//! `EinsumDense`.

use serde_json::Value;

use super::Entry;
use super::dense::Affine;
use crate::Unsupported;
use crate::graph::{Call, Sym};

pub(super) const LAYERS: &[Entry] = &[Entry::new("EinsumDense", einsum)];

/// `EinsumDense` whose equation contracts the last axes of the input and puts new ones in their place.
fn einsum(call: &mut Call<'_>) -> Result<Vec<Sym>, Unsupported> {
    let x = call.input()?;
    let equation = call.config.text("equation", "")?;
    let refused = || call.config.not("equation");
    let (inputs, output) = equation.split_once("->").ok_or_else(refused)?;
    let (input, kernel) = inputs.split_once(',').ok_or_else(refused)?;
    let letters = |text: &str| -> Vec<char> { text.trim().replace("...", "").chars().collect() };
    let (input, kernel, output) = (letters(input), letters(kernel), letters(output));
    let summed = input
        .iter()
        .rev()
        .take_while(|letter| kernel.contains(letter))
        .count();
    let (kept, last) = input.split_at(input.len() - summed);
    let plain = kernel.starts_with(last) && summed > 0 && {
        let fresh = &kernel[summed..];
        output == [kept, fresh].concat()
            && !fresh.is_empty()
            && fresh.iter().all(|letter| !input.contains(letter))
    };
    if !plain || summed >= x.rank() {
        return Err(refused());
    }
    let fresh = kernel.len() - summed;
    let from: Vec<usize> = (x.rank() - summed..x.rank())
        .map(|axis| call.known(&x, axis))
        .collect::<Result<_, _>>()?;
    let sizes: Vec<Option<u64>> = match call.config.get("output_shape") {
        Some(Value::Array(items)) => items.iter().map(Value::as_u64).collect(),
        Some(one) => vec![one.as_u64()],
        None => return Err(call.config.not("output_shape")),
    };
    let wanted = sizes.iter().rev().take(fresh).rev();
    let to: Option<Vec<usize>> = wanted
        .map(|size| {
            usize::try_from((*size)?)
                .ok()
                .filter(|size| (1..=1 << 28).contains(size))
        })
        .collect();
    let to = to
        .filter(|to| to.len() == fresh)
        .ok_or_else(|| call.config.not("output_shape"))?;
    let kernel: Vec<usize> = from.iter().chain(&to).copied().collect();
    let kernel = call.weight("kernel", &kernel, true)?;
    let bias = match call.config.get("bias_axes").and_then(Value::as_str) {
        None => None,
        Some(axes) if axes.chars().eq(output[output.len() - fresh..].iter().copied()) => {
            Some(call.weight("bias", &to, true)?)
        }
        Some(_) => return Err(call.config.not("bias_axes")),
    };
    let (features, units) = (from.iter().product(), to.iter().product());
    let mut flat = x.shape[..x.rank() - summed].to_vec();
    let front = flat.clone();
    flat.push(Some(features));
    let x = if summed == 1 {
        x
    } else {
        super::reshape::to_last(call, &x, from.len(), &[features], flat.clone())
    };
    flat.pop();
    flat.push(Some(units));
    let op = Affine {
        kernel,
        bias,
        features,
        units,
    };
    let mut y = call.builder.op(op, &[&x], flat);
    if fresh > 1 {
        let mut shape = front;
        shape.extend(to.iter().map(|&size| Some(size)));
        y = super::reshape::to_last(call, &y, 1, &to, shape);
    }
    Ok(vec![call.activate(y)?])
}
