//! The parts of the measurement, each of which can be run without the others.

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The default detector, with trials
    Default,
    /// The paper's algorithm
    Paper,
    /// Scripts with the first patch of the default detector
    Patched,
    /// The default detector in Keras on TensorFlow, without trials
    Tensorflow,
    /// The default detector in Keras on JAX, without trials
    Jax,
    /// The default detector with other seeds, without trials
    Seeds,
}

impl Part {
    /// What is measured when nothing else is asked for.
    pub const USUAL: [Part; 3] = [Part::Default, Part::Paper, Part::Patched];
}
