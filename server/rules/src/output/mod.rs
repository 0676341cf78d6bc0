//! DL1: output and loss.

pub(crate) mod accuracy_of_regression;
pub(crate) mod averaged_reconstruction;
pub(crate) mod binary_crossentropy_after_softmax;
pub(crate) mod binary_crossentropy_units;
pub(crate) mod binary_crossentropy_without_sigmoid;
pub(crate) mod bounded_output_of_large_targets;
pub(crate) mod categorical_crossentropy_on_one_unit;
pub(crate) mod categorical_crossentropy_without_softmax;
pub(crate) mod compile_without_loss;
pub(crate) mod contrastive_labels;
pub(crate) mod hinge_of_positive_output;
pub(crate) mod logits_loss_after_activation;
pub(crate) mod loss_without_gradient;
pub(crate) mod negligible_loss_weight;
pub(crate) mod poisson_of_negative_output;
pub(crate) mod relu_output_of_regression;
pub(crate) mod similarity_as_loss;
pub(crate) mod softmax_on_one_unit;
pub(crate) mod softmax_with_regression_loss;
pub(crate) mod squared_error_of_sigmoid;
pub(crate) mod unknown_loss;
