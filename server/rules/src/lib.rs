//! Program → findings without running anything; one file per rule.
//!
//! The leading comment of a rule's file is its documentation. A new rule is one new file and one line below.

mod api;
mod context;
mod data;
mod hidden;
mod optimisation;
mod output;
mod read;
mod structure;
#[cfg(test)]
mod testing;
mod training;

use std::cmp::Reverse;
use std::path::Path;

use finding::{Finding, RuleInfo, Severity};
use program::Program;

use context::Context;

macro_rules! rules {
    ($($family:ident::$rule:ident),* $(,)?) => {
        static RULES: &[RuleInfo] = &[$($family::$rule::INFO),*];
        static CHECKS: &[fn(&Context<'_>) -> Vec<Finding>] = &[$($family::$rule::check),*];
    };
}

rules![
    api::removed_argument,
    api::integer_learning_rate,
    api::removed_name,
    api::private_keras,
    output::softmax_on_one_unit,
    output::binary_crossentropy_without_sigmoid,
    output::binary_crossentropy_after_softmax,
    output::categorical_crossentropy_without_softmax,
    output::categorical_crossentropy_on_one_unit,
    output::logits_loss_after_activation,
    output::softmax_with_regression_loss,
    output::accuracy_of_regression,
    output::binary_crossentropy_units,
    output::unknown_loss,
    output::poisson_of_negative_output,
    output::compile_without_loss,
    output::squared_error_of_sigmoid,
    output::relu_output_of_regression,
    output::hinge_of_positive_output,
    output::bounded_output_of_large_targets,
    output::negligible_loss_weight,
    output::loss_without_gradient,
    output::similarity_as_loss,
    output::averaged_reconstruction,
    output::contrastive_labels,
    hidden::linear_network,
    hidden::linear_hidden_layer,
    hidden::softmax_in_hidden_layer,
    hidden::sigmoid_in_deep_network,
    hidden::convolution_without_activation,
    hidden::unbounded_recurrent_activation,
    hidden::unknown_activation,
    hidden::activation_class,
    hidden::selu_initializer,
    optimisation::learning_rate_out_of_range,
    optimisation::unknown_optimizer,
    optimisation::optimizer_class,
    optimisation::momentum_out_of_range,
    optimisation::decay_rate_of_moments_out_of_range,
    optimisation::clipping_without_effect,
    optimisation::several_clippings,
    optimisation::invalid_batch_size,
    optimisation::no_epochs,
    optimisation::shared_optimizer,
    optimisation::schedule_and_callback,
    optimisation::growing_schedule,
    optimisation::plateau_factor,
    optimisation::frozen_network,
    optimisation::few_updates,
    optimisation::compounding_schedule,
    optimisation::schedule_ends_early,
    data::one_hot_labels_with_sparse_loss,
    data::class_numbers_with_categorical_loss,
    data::labels_beyond_output,
    data::pixels_not_scaled,
    data::test_data_scaled_differently,
    data::scaled_twice,
    data::labels_divided,
    data::train_test_split_order,
    data::load_data_order,
    data::scaler_fitted_on_test_data,
    data::scaler_fitted_before_split,
    data::test_data_for_training,
    data::ordered_labels_cut_by_position,
    data::ordered_labels_with_validation_split,
    data::data_set_with_array_arguments,
    data::label_among_features,
    data::embedding_smaller_than_vocabulary,
    data::generator_labels_and_loss,
    data::features_shuffled_alone,
    data::missing_values,
    data::constant_features,
    data::same_batch_every_time,
    data::noise_as_target,
    data::targets_of_other_outputs,
    data::padding_behind,
    data::reshape_instead_of_transpose,
    data::label_columns_unlike_output,
    data::batch_index_unused,
    data::shuffled_apart,
    data::layer_not_adapted,
    data::encoded_apart,
    data::augmentation_value_range,
    data::generators_scaled_differently,
    training::metric_of_other_labels,
    training::monitor_without_validation,
    training::monitor_not_logged,
    training::monitor_mode,
    training::fit_without_compile,
    training::validation_on_training_data,
    training::history_key,
    training::argmax_of_one_unit,
    training::evaluate_without_metrics,
    training::metrics_not_a_list,
    training::unknown_metric,
    training::patience_beyond_epochs,
    training::invalid_validation_split,
    training::early_stopping_keeps_last_weights,
    training::evaluation_on_training_data,
    training::trainable_without_compile,
    training::untrained_clone,
    training::update_after_batches,
    training::model_made_in_every_round,
    training::argmax_over_samples,
    training::labels_of_another_pass,
    structure::activation_twice,
    structure::missing_flatten,
    structure::dropout_rate_out_of_range,
    structure::high_dropout_rate,
    structure::dropout_on_output,
    structure::bias_before_batch_normalization,
    structure::dropout_before_batch_normalization,
    structure::missing_return_sequences,
    structure::sequences_into_output,
    structure::softmax_over_batch,
    structure::constant_weights,
    structure::layer_class,
    structure::duplicate_layer_name,
    structure::invalid_layer_size,
    structure::input_shape_on_later_layer,
    structure::one_unit_bottleneck,
    structure::batch_normalization_of_output,
    structure::strong_regularizer,
    structure::embedding_of_activations,
    structure::unknown_initializer,
    structure::shape_error,
    structure::dead_branch,
    structure::unused_layer,
    structure::concatenation_of_batches,
    structure::normalization_of_one_value,
    structure::batch_normalization_momentum,
    structure::input_shape_of_other_data,
    structure::zero_factors,
    structure::zero_matrices,
];

/// All rules.
pub fn all() -> &'static [RuleInfo] {
    RULES
}

/// Where a script uses what only earlier versions of Keras have, shapes may follow other defaults than today's
/// (`channels_first` on Theano, for one).
fn soften_in_old_scripts(context: &Context<'_>, findings: &mut [Finding]) {
    let old = |finding: &Finding| {
        [api::removed_argument::INFO.code, api::removed_name::INFO.code].contains(&finding.code)
    };
    if context.keras_3() || !findings.iter().any(old) {
        return;
    }
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.code == structure::shape_error::INFO.code)
    {
        finding.severity = finding.severity.min(Severity::Information);
    }
}

/// Findings of all rules on one file: the most severe first, then the most certain, then in source order.
/// `text` is the text that `program` was parsed from; `path` is put into the findings as it is.
pub fn check(program: &Program, text: &str, path: &Path) -> Vec<Finding> {
    let context = Context::new(program, text, path);
    let mut findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&context)).collect();
    let deliberate = read::expected_failures(text);
    findings.retain(|finding| !deliberate.iter().any(|block| block.contains(finding.range)));
    soften_in_old_scripts(&context, &mut findings);
    findings.sort_by(|left, right| {
        (Reverse(left.severity), left.range, left.code).cmp(&(
            Reverse(right.severity),
            right.range,
            right.code,
        ))
    });
    // A model that is compiled twice has its faults once.
    findings.dedup_by(|next, kept| next.code == kept.code && next.range == kept.range);
    findings.sort_by(|left, right| {
        (Reverse(left.severity), right.confidence)
            .partial_cmp(&(Reverse(right.severity), left.confidence))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    findings
}
