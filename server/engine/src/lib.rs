//! Keras builds the model, this engine trains it with a probe on every operation.
//!
//! [`Graph::from_keras`] reads Keras' own serialisation of a model, [`Trainer::new`] what it was compiled with.

mod activations;
mod compile;
mod config;
mod constraints;
mod error;
mod functions;
pub mod graph;
mod layers;
mod losses;
mod metrics;
mod native;
mod op;
mod optimizers;
pub mod probe;
mod regularizers;
mod tensor;
mod trainer;

/// What the engine covers, by the names Keras gives.
pub mod coverage {
    pub use crate::activations::NAMES as ACTIVATIONS;
    pub use crate::layers::names as layers;
    pub use crate::losses::NAMES as LOSSES;
    pub use crate::metrics::NAMES as METRICS;
    pub use crate::optimizers::names as optimizers;
}

pub use error::{EngineError, Unsupported};
pub use graph::Graph;
pub use native::flushed;
pub use tensor::{Tensor, View};
pub use trainer::{Batch, Options, StepOutcome, Trainer};
