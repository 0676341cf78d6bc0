//! What the tracer asks for.

use serde::Deserialize;
use serde_json::Value;

/// An array of `float32` in the shared file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// Bytes from the beginning of the file.
    pub offset: u64,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// A weight that the script has changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Changed {
    /// Place in the order of `model.weights`.
    pub index: usize,
    /// Its values.
    #[serde(flatten)]
    pub place: Place,
}

/// A weight of a model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Weight {
    /// Keras' path of the variable.
    pub path: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// One batch: an array for each input, label array or nothing for each output, and sample weights likewise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Batch {
    /// Inputs.
    pub x: Vec<Place>,
    /// Labels.
    #[serde(default)]
    pub y: Vec<Option<Place>>,
    /// Sample weights.
    #[serde(default)]
    pub weight: Vec<Option<Place>>,
}

/// One request.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Request {
    /// Takes over a model.
    Open {
        /// Number by which later requests name it.
        model: u64,
        /// What Keras' `serialize_keras_object` gives.
        graph: Value,
        /// What Keras' `get_compile_config` gives; null for a model that is only to predict.
        #[serde(default)]
        compile: Value,
        /// Whether losses use the logits that softmax and sigmoid leave, as on TensorFlow.
        remember_logits: bool,
        /// The weights, in the order of `model.weights`.
        weights: Vec<Weight>,
        /// For dropout and noise.
        #[serde(default)]
        seed: u64,
    },
    /// Trains on batches, one after the other.
    Train {
        /// Which model.
        model: u64,
        /// Weights that have changed.
        #[serde(default)]
        weights: Vec<Changed>,
        /// Whether metrics start anew.
        #[serde(default)]
        fresh: bool,
        /// The batches.
        batches: Vec<Batch>,
        /// Learning rate of each step.
        rates: Vec<f64>,
        /// Whether each step is probed.
        probed: Vec<bool>,
    },
    /// Computes loss and metrics on batches.
    Evaluate {
        /// Which model.
        model: u64,
        /// Weights that have changed.
        #[serde(default)]
        weights: Vec<Changed>,
        /// Whether metrics start anew.
        #[serde(default)]
        fresh: bool,
        /// The batches.
        batches: Vec<Batch>,
    },
    /// Computes the outputs for one batch of inputs.
    Predict {
        /// Which model.
        model: u64,
        /// Weights that have changed.
        #[serde(default)]
        weights: Vec<Changed>,
        /// The inputs.
        x: Vec<Place>,
    },
    /// Ends a training.
    Finish {
        /// Which model.
        model: u64,
    },
    /// Forgets a model, if there is such a one.
    Close {
        /// Which model.
        model: u64,
    },
    /// Writes the weights into the shared file.
    Weights {
        /// Which model.
        model: u64,
        /// Where, in the order of `model.weights`.
        into: Vec<Place>,
    },
}
