//! Reading what rules ask about off the program: the output, the loss, names of layers, the data.

mod activation;
mod before;
mod chain;
mod constant;
mod data;
mod definitions;
mod deliberate;
mod formula;
mod generation;
mod gradient;
mod head;
mod identifiers;
mod initializer;
mod label_sources;
mod label_values;
mod layer_name;
mod lines;
mod loss;
mod pair_labels;
mod samples;
mod split;
mod training;
mod transformer;

pub(crate) use activation::of_layer;
pub(crate) use before::{only_value, way};
pub(crate) use chain::{
    Chain, has_units, is_activation, is_convolution, is_dropout, is_passive, is_recurrent, layer_class,
};
pub(crate) use constant::{is_constant, whole_column};
pub(crate) use data::{Data, Encoding, Sets, compact, is_plain, sets, targets};
pub(crate) use definitions::{Definitions, LossBody, OwnLoss, returned};
pub(crate) use deliberate::expected_failures;
pub(crate) use formula::{Formula, Side, operation};
pub(crate) use generation::is_for_keras_3;
pub(crate) use gradient::{Flow, Follow};
pub(crate) use head::Head;
pub(crate) use identifiers::{Family, is_old_name, misspelled};
pub(crate) use initializer::{constant_initializer, own_matrix};
pub(crate) use layer_name::layer_name;
pub(crate) use lines::{function, is_unconditional};
pub(crate) use loss::Loss;
pub(crate) use pair_labels::{Pair, PairLabels};
pub(crate) use samples::first_samples;
pub(crate) use split::Half;
pub(crate) use training::{Training, has_one_output, model_of, monitored, receiver, respelled};
pub(crate) use transformer::{class_of, is_encoder, is_scaler};
