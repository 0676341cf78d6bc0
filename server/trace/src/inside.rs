//! What only an engine can see of a training.

use serde::{Deserialize, Serialize};

use crate::message::{nan, number};

/// The first number that became NaN or infinite; once in a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultMessage {
    /// The training.
    pub fit: usize,
    /// The step, from 0.
    pub step: u64,
    /// Its epoch.
    #[serde(default)]
    pub epoch: u32,
    /// Its batch within the epoch.
    #[serde(default)]
    pub batch: u32,
    /// When in the step: `input`, `weight`, `forward`, `loss`, `backward`, `gradient` or `update`.
    pub moment: String,
    /// Index of the layer.
    #[serde(default)]
    pub layer: Option<usize>,
    /// The operation (`matmul`), the weight (`kernel`) or the input.
    pub what: String,
    /// Index of the element along each axis, samples first.
    #[serde(default)]
    pub element: Vec<usize>,
    /// `nan`, `inf` or `-inf`.
    #[serde(deserialize_with = "number", serialize_with = "as_text")]
    pub value: f64,
}

/// How far a step went along its own direction, and how the gradients of single samples differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaugeMessage {
    /// The training.
    pub fit: usize,
    /// The step, from 0.
    pub step: u64,
    /// Slope of the loss along the update, before it.
    #[serde(deserialize_with = "number", default = "nan")]
    pub slope_before: f64,
    /// The same after it: of the other sign where the step went beyond the lowest point of its line.
    #[serde(deserialize_with = "number", default = "nan")]
    pub slope_after: f64,
    /// Norm of the gradient of each of the first samples of the batch.
    #[serde(default)]
    pub sample_gradients: Vec<f64>,
}

/// JSON has no NaN.
fn as_text<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string().to_lowercase())
}
