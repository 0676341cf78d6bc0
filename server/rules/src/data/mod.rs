//! DL4: data.

pub(crate) mod class_numbers_with_categorical_loss;
pub(crate) mod data_set_with_array_arguments;
pub(crate) mod embedding_smaller_than_vocabulary;
pub(crate) mod label_among_features;
pub(crate) mod labels_beyond_output;
pub(crate) mod labels_divided;
pub(crate) mod load_data_order;
pub(crate) mod one_hot_labels_with_sparse_loss;
pub(crate) mod ordered_labels_with_validation_split;
pub(crate) mod pixels_not_scaled;
pub(crate) mod scaled_twice;
pub(crate) mod scaler_fitted_before_split;
pub(crate) mod scaler_fitted_on_test_data;
pub(crate) mod test_data_for_training;
pub(crate) mod test_data_scaled_differently;
pub(crate) mod train_test_split_order;
