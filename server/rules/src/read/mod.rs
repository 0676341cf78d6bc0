//! Reading what rules ask about off the program: the output, the loss, names of layers, the data.

mod activation;
mod chain;
mod constant;
mod data;
mod deliberate;
mod generation;
mod head;
mod identifiers;
mod label_sources;
mod label_values;
mod layer_name;
mod lines;
mod loss;
mod samples;
mod split;
mod training;
mod transformer;

pub(crate) use activation::of_layer;
pub(crate) use chain::{
    Chain, has_units, is_activation, is_convolution, is_dropout, is_passive, is_recurrent, layer_class,
};
pub(crate) use constant::{is_constant, whole_column};
pub(crate) use data::{Data, Encoding, Sets, compact, is_plain, sets, targets};
pub(crate) use deliberate::expected_failures;
pub(crate) use generation::is_for_keras_3;
pub(crate) use head::Head;
pub(crate) use identifiers::{Family, is_old_name, misspelled};
pub(crate) use layer_name::layer_name;
pub(crate) use lines::{function, is_unconditional};
pub(crate) use loss::Loss;
pub(crate) use samples::first_samples;
pub(crate) use split::Half;
pub(crate) use training::{Training, has_one_output, monitored, receiver, respelled};
pub(crate) use transformer::{class_of, is_encoder, is_scaler};
