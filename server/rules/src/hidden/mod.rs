//! DL2: hidden layers.

pub(crate) mod activation_class;
pub(crate) mod convolution_without_activation;
pub(crate) mod linear_hidden_layer;
pub(crate) mod linear_network;
pub(crate) mod selu_initializer;
pub(crate) mod sigmoid_in_deep_network;
pub(crate) mod softmax_in_hidden_layer;
pub(crate) mod unbounded_recurrent_activation;
pub(crate) mod unknown_activation;
