//! DL5: the training loop.

pub(crate) mod argmax_of_one_unit;
pub(crate) mod argmax_over_samples;
pub(crate) mod early_stopping_keeps_last_weights;
pub(crate) mod evaluate_without_metrics;
pub(crate) mod evaluation_on_training_data;
pub(crate) mod fit_without_compile;
pub(crate) mod history_key;
pub(crate) mod invalid_validation_split;
pub(crate) mod labels_of_another_pass;
pub(crate) mod metric_of_other_labels;
pub(crate) mod metrics_not_a_list;
pub(crate) mod model_made_in_every_round;
pub(crate) mod monitor_mode;
pub(crate) mod monitor_not_logged;
pub(crate) mod monitor_without_validation;
pub(crate) mod patience_beyond_epochs;
pub(crate) mod trainable_without_compile;
pub(crate) mod unknown_metric;
pub(crate) mod untrained_clone;
pub(crate) mod update_after_batches;
pub(crate) mod validation_on_training_data;
