//! What can go wrong.

/// Something of the user's program that the engine does not cover.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Unsupported {
    /// The layer, loss, optimizer or metric.
    pub place: String,
    /// Which argument or property of it.
    pub what: String,
}

impl Unsupported {
    /// `what` of `place` is not covered.
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Unsupported {
            place: place.into(),
            what: what.into(),
        }
    }
}

/// A batch or weight that does not fit the model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// Shapes that do not go together.
    #[error("{place}: {what}")]
    Shape {
        /// The operation, input or weight.
        place: String,
        /// What does not fit.
        what: String,
    },
    /// A class number that the output does not have; TensorFlow raises there.
    #[error("label {label} is outside the {classes} classes of the output")]
    Label {
        /// The label.
        label: f32,
        /// Number of classes.
        classes: usize,
    },
    /// A tensor beyond the limit.
    #[error("a tensor of shape {0:?} is larger than the engine's limit")]
    TooLarge(Vec<usize>),
}

impl EngineError {
    /// Shapes of `place` that do not go together.
    pub fn shape(place: impl Into<String>, what: impl Into<String>) -> Self {
        EngineError::Shape {
            place: place.into(),
            what: what.into(),
        }
    }
}
