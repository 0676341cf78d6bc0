//! Convolutions: plain, transposed, depthwise, separable.

use super::arguments::{Arguments, product};
use super::{Inference, Inferred, Shape, ShapeError};
use crate::Value;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Transposed,
    Depthwise,
    Separable,
}

fn kind(class: &str) -> Option<(Kind, usize)> {
    Some(match class {
        "Conv1D" => (Kind::Plain, 1),
        "Conv2D" => (Kind::Plain, 2),
        "Conv3D" => (Kind::Plain, 3),
        "Conv1DTranspose" => (Kind::Transposed, 1),
        "Conv2DTranspose" => (Kind::Transposed, 2),
        "Conv3DTranspose" => (Kind::Transposed, 3),
        "DepthwiseConv1D" => (Kind::Depthwise, 1),
        "DepthwiseConv2D" => (Kind::Depthwise, 2),
        "SeparableConv1D" => (Kind::Separable, 1),
        "SeparableConv2D" => (Kind::Separable, 2),
        _ => return None,
    })
}

/// How the axes of images and the like are called.
pub(super) fn axes(spatial: usize, channels_last: bool) -> &'static str {
    match (spatial, channels_last) {
        (1, true) => "(batch, steps, channels)",
        (1, false) => "(batch, channels, steps)",
        (2, true) => "(batch, height, width, channels)",
        (2, false) => "(batch, channels, height, width)",
        (_, true) => "(batch, depth, height, width, channels)",
        (_, false) => "(batch, channels, depth, height, width)",
    }
}

/// An input taken apart.
pub(super) struct Parts {
    pub batch: Option<u64>,
    pub spatial: Vec<Option<u64>>,
    pub channels: Option<u64>,
    pub channels_last: bool,
}

impl Parts {
    pub(super) fn of(
        layer: &Arguments<'_>,
        input: &Shape,
        spatial: usize,
        channels_last: bool,
    ) -> Result<Option<Parts>, ShapeError> {
        layer.rank(input, spatial + 2, axes(spatial, channels_last))?;
        let Some((batch, rest)) = input.0.split_first() else {
            return Ok(None);
        };
        let split = if channels_last {
            rest.split_last()
        } else {
            rest.split_first()
        };
        Ok(split.map(|(channels, spatial)| Parts {
            batch: *batch,
            spatial: spatial.to_vec(),
            channels: *channels,
            channels_last,
        }))
    }

    /// The shape with other sizes and channels.
    pub(super) fn with(&self, spatial: Vec<Option<u64>>, channels: Option<u64>) -> Shape {
        let mut sizes = vec![self.batch];
        if self.channels_last {
            sizes.extend(spatial);
            sizes.push(channels);
        } else {
            sizes.push(channels);
            sizes.extend(spatial);
        }
        Shape(sizes)
    }
}

pub(super) fn infer(class: &str, layer: &Arguments<'_>, input: Option<&Shape>) -> Option<Inference> {
    let (kind, spatial) = kind(class)?;
    Some(convolve(kind, spatial, layer, input))
}

fn convolve(kind: Kind, spatial: usize, layer: &Arguments<'_>, input: Option<&Shape>) -> Inference {
    let (Some(input), Some(channels_last)) = (input, layer.channels_last()) else {
        return Ok(Inferred::default());
    };
    let Some(parts) = Parts::of(layer, input, spatial, channels_last)? else {
        return Ok(Inferred::default());
    };
    let multiplier = || {
        layer
            .int("depth_multiplier", Some(1))
            .and_then(super::arguments::positive)
    };
    let filters = match kind {
        Kind::Depthwise => parts
            .channels
            .zip(multiplier())
            .and_then(|(channels, times)| product([channels, times])),
        _ => layer.size("filters"),
    };
    let kernel = match layer.value("kernel_size").flatten() {
        Some(value) => super::arguments::sizes_of(value, spatial),
        None => None,
    };
    let (Some(kernel), Some(strides), Some(dilation)) = (
        kernel,
        layer.sizes("strides", spatial, 1),
        layer.sizes("dilation_rate", spatial, 1),
    ) else {
        return Ok(Inferred::default());
    };
    let groups = layer.int("groups", Some(1)).and_then(super::arguments::positive);
    if let (Some(groups), Some(channels)) = (groups, parts.channels)
        && channels % groups != 0
    {
        let message = format!("{channels} channels cannot be divided into {groups} groups");
        return Err(layer.error("groups", message));
    }
    let params = weights(kind, layer, &parts, &kernel, filters, groups);
    let Some(padding) = layer.text("padding", "valid") else {
        return Ok(Inferred::new(None, params));
    };
    let window = Window {
        layer,
        input,
        argument: "kernel_size",
        padding,
    };
    let mut sizes = Vec::with_capacity(spatial);
    for (axis, size) in parts.spatial.iter().enumerate() {
        let (Some(kernel), Some(stride), Some(dilation)) =
            (kernel.get(axis), strides.get(axis), dilation.get(axis))
        else {
            return Ok(Inferred::new(None, params));
        };
        let reach = (kernel - 1).saturating_mul(*dilation).saturating_add(1);
        let slid = match (kind, size) {
            (_, None) => None,
            (Kind::Transposed, Some(size)) => spread(layer, *size, *stride, reach, padding),
            (_, Some(size)) => window.slide(*size, reach, *stride)?,
        };
        if size.is_some() && slid.is_none() {
            return Ok(Inferred::new(None, params));
        }
        sizes.push(slid);
    }
    let output = filters.map(|filters| parts.with(sizes, Some(filters)));
    Ok(Inferred::new(output, params))
}

/// A window that slides over an axis.
pub(super) struct Window<'a> {
    pub layer: &'a Arguments<'a>,
    pub input: &'a Shape,
    /// The argument with the size of the window.
    pub argument: &'static str,
    pub padding: &'a str,
}

impl Window<'_> {
    /// How many positions it has; `None` when the padding is not known.
    pub(super) fn slide(&self, size: u64, reach: u64, stride: u64) -> Result<Option<u64>, ShapeError> {
        match self.padding.to_ascii_lowercase().as_str() {
            "same" | "causal" => Ok(Some(size.div_ceil(stride))),
            "valid" if size < reach => Err(self.layer.error(
                self.argument,
                format!(
                    "a window of {reach} does not fit into an axis of {size} of the input {}: nothing would be left",
                    self.input
                ),
            )),
            "valid" => Ok(Some((size - reach) / stride + 1)),
            _ => Ok(None),
        }
    }
}

/// The size of an axis behind a transposed convolution.
fn spread(layer: &Arguments<'_>, size: u64, stride: u64, reach: u64, padding: &str) -> Option<u64> {
    let extra = match layer.value("output_padding")? {
        None | Some(Value::None) => None,
        Some(Value::Int(extra)) => Some(u64::try_from(*extra).ok()?),
        Some(_) => return None,
    };
    let moved = size.checked_sub(1)?.checked_mul(stride)?;
    match (padding.to_ascii_lowercase().as_str(), extra) {
        ("valid", None) => moved.checked_add(reach.max(stride)),
        ("valid", Some(extra)) => moved.checked_add(reach)?.checked_add(extra),
        ("same", None) => size.checked_mul(stride),
        ("same", Some(extra)) => moved.checked_add(reach % 2)?.checked_add(extra),
        _ => None,
    }
}

fn weights(
    kind: Kind,
    layer: &Arguments<'_>,
    parts: &Parts,
    kernel: &[u64],
    filters: Option<u64>,
    groups: Option<u64>,
) -> Option<u64> {
    let (channels, filters) = (parts.channels?, filters?);
    let window = product(kernel.iter().copied())?;
    let kernel = match kind {
        Kind::Plain => product([window, channels / groups?, filters])?,
        Kind::Transposed => product([window, channels, filters])?,
        Kind::Depthwise => product([window, filters])?,
        Kind::Separable => {
            let times = layer
                .int("depth_multiplier", Some(1))
                .and_then(super::arguments::positive)?;
            let depth = product([channels, times])?;
            product([window, depth])?.checked_add(product([depth, filters])?)?
        }
    };
    let bias = if layer.bool("use_bias", true)? { filters } else { 0 };
    kernel.checked_add(bias)
}
