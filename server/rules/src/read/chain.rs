//! Layers that certainly follow one another.

use program::{Call, Model, Program};

/// The last layers of a model, without a gap: all of them where the model is known completely.
pub(crate) struct Chain<'a> {
    pub model: &'a Model,
    /// The calls that make the layers, in order.
    pub layers: Vec<&'a Call>,
    /// Position in the model of the first of them.
    first: usize,
}

impl<'a> Chain<'a> {
    pub(crate) fn of(program: &'a Program, model: &'a Model) -> Option<Chain<'a>> {
        let first = model.layers.len().checked_sub(model.tail)?;
        let layers = model.layers.iter().skip(first);
        Some(Chain {
            model,
            layers: layers.map(|layer| program.call(layer.call)).collect(),
            first,
        })
    }

    /// Position in the model of a layer of the chain.
    pub(crate) fn position(&self, index: usize) -> usize {
        self.first + index
    }

    /// Whether these are all layers of the model.
    pub(crate) fn is_whole(&self) -> bool {
        self.model.complete && self.first == 0
    }

    /// Each layer with the one after it, and the index of the first of the two.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, &'a Call, &'a Call)> {
        self.layers
            .iter()
            .zip(self.layers.iter().skip(1))
            .enumerate()
            .map(|(index, (before, after))| (index, *before, *after))
    }

    /// The layers from the index on that do more than drop units or stand by.
    pub(crate) fn working_from(&self, index: usize) -> impl Iterator<Item = &'a Call> {
        self.layers
            .iter()
            .skip(index)
            .copied()
            .filter(|call| !is_passive(call))
    }
}

/// The class of a layer of Keras.
pub(crate) fn layer_class(call: &Call) -> Option<&str> {
    call.callee.strip_prefix("keras.layers.")
}

/// Layers that leave values as they are, or only drop or disturb some of them during training.
pub(crate) fn is_passive(call: &Call) -> bool {
    is_dropout(call)
        || matches!(
            call.class(),
            "Identity" | "ActivityRegularization" | "GaussianNoise" | "Masking"
        )
}

/// Layers that drop units.
pub(crate) fn is_dropout(call: &Call) -> bool {
    matches!(
        call.class(),
        "Dropout"
            | "SpatialDropout1D"
            | "SpatialDropout2D"
            | "SpatialDropout3D"
            | "AlphaDropout"
            | "GaussianDropout"
    )
}

/// Layers that apply an activation and nothing else.
pub(crate) fn is_activation(call: &Call) -> bool {
    matches!(
        call.class(),
        "Activation" | "ReLU" | "LeakyReLU" | "PReLU" | "ELU" | "Softmax"
    )
}

/// Recurrent layers.
pub(crate) fn is_recurrent(call: &Call) -> bool {
    matches!(call.class(), "LSTM" | "GRU" | "SimpleRNN")
}

/// Convolutions.
pub(crate) fn is_convolution(class: &str) -> bool {
    matches!(
        class,
        "Conv1D"
            | "Conv2D"
            | "Conv3D"
            | "Conv1DTranspose"
            | "Conv2DTranspose"
            | "Conv3DTranspose"
            | "SeparableConv1D"
            | "SeparableConv2D"
    )
}

/// Layers whose units learn weights of their own.
pub(crate) fn has_units(call: &Call) -> bool {
    call.class() == "Dense" || is_recurrent(call) || is_convolution(call.class())
}
