//! Layers that leave the shape as it is.

use super::arguments::{Arguments, product};
use super::{Inference, Inferred, Shape};

/// Layers without weights that take any shape.
const ANY: [&str; 30] = [
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "LeakyReLU",
    "Masking",
    "ReLU",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomContrast",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Rescaling",
    "Softmax",
    "UnitNormalization",
];

pub(super) fn infer(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Option<Inference> {
    if ANY.contains(&class) {
        return Some(Ok(Inferred::weightless(input.cloned())));
    }
    let axes = match class {
        "SpatialDropout1D" => (3, "(batch, steps, channels)"),
        "SpatialDropout2D" => (4, "(batch, height, width, channels)"),
        "SpatialDropout3D" => (5, "(batch, depth, height, width, channels)"),
        "PReLU" => return Some(Ok(prelu(layer, input))),
        _ => return None,
    };
    Some(match input {
        Some(input) => layer
            .rank(input, axes.0, axes.1)
            .map(|()| Inferred::weightless(Some(input.clone()))),
        None => Ok(Inferred::weightless(None)),
    })
}

/// One slope per element of a sample, unless axes share it.
fn prelu(layer: &Arguments<'_>, input: Option<&Shape>) -> Inferred {
    let sizes: Option<Vec<u64>> = input.and_then(|input| input.0.get(1..)?.iter().copied().collect());
    let own = matches!(layer.value("shared_axes"), Some(None));
    Inferred::new(input.cloned(), sizes.filter(|_| own).and_then(product))
}
