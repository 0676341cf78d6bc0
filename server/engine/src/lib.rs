//! Keras builds the model, this engine trains it with a probe on every operation.
//!
//! [`Graph::from_keras`] reads Keras' own serialisation of a model, [`Trainer::new`] what it was compiled with.

mod activations;
mod compile;
mod config;
mod constraints;
pub mod coverage;
mod error;
mod functions;
mod glu;
pub mod graph;
mod layers;
mod losses;
mod metrics;
mod native;
mod op;
mod optimizers;
pub mod probe;
mod regularizers;
mod sparsemax;
mod tensor;
mod trainer;

pub use error::{EngineError, Unsupported};
pub use graph::Graph;
pub use native::flushed;
pub use tensor::{Tensor, View};
pub use trainer::{Batch, Options, StepGauge, StepOutcome, Trainer};
