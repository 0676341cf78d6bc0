//! DL1: the output of the model and its loss.

pub(crate) mod accuracy_of_regression;
pub(crate) mod binary_crossentropy_after_softmax;
pub(crate) mod binary_crossentropy_units;
pub(crate) mod binary_crossentropy_without_sigmoid;
pub(crate) mod categorical_crossentropy_on_one_unit;
pub(crate) mod categorical_crossentropy_without_softmax;
pub(crate) mod logits_loss_after_activation;
pub(crate) mod softmax_on_one_unit;
pub(crate) mod softmax_with_regression_loss;
