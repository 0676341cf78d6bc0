//! Normalization.

use super::arguments::Arguments;
use super::{Inference, Inferred, Shape};
use crate::Value;

pub(super) fn infer(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Option<Inference> {
    // Weights per channel that are always there.
    let fixed = match class {
        "BatchNormalization" => 2,
        "LayerNormalization" | "GroupNormalization" => 0,
        "RMSNormalization" => 1,
        _ => return None,
    };
    let Some(input) = input else {
        return Some(Ok(Inferred::default()));
    };
    let size = match layer.value("axis") {
        Some(None) => input.0.last().copied().flatten(),
        Some(Some(Value::Int(axis))) => {
            let rank = i64::try_from(input.0.len()).ok()?;
            let place = if *axis < 0 { axis + rank } else { *axis };
            let size = usize::try_from(place).ok().and_then(|place| input.0.get(place));
            match size {
                Some(size) => *size,
                None => {
                    let message = format!("there is no axis {axis} in the input {input}");
                    return Some(Err(layer.error("axis", message)));
                }
            }
        }
        _ => None,
    };
    let optional = |name| layer.bool(name, true).map(u64::from);
    let per_channel = match class {
        "RMSNormalization" => Some(fixed),
        _ => optional("scale")
            .zip(optional("center"))
            .map(|(scale, center)| fixed + scale + center),
    };
    // Renormalization keeps more statistics.
    let plain = matches!(layer.value("renorm"), Some(None | Some(Value::Bool(false))));
    let params = size
        .zip(per_channel)
        .filter(|_| plain)
        .and_then(|(size, weights)| size.checked_mul(weights));
    Some(Ok(Inferred::new(Some(input.clone()), params)))
}
