//! DL3: optimisation.

pub(crate) mod clipping_without_effect;
pub(crate) mod decay_rate_of_moments_out_of_range;
pub(crate) mod few_updates;
pub(crate) mod frozen_network;
pub(crate) mod growing_schedule;
pub(crate) mod invalid_batch_size;
pub(crate) mod learning_rate_out_of_range;
pub(crate) mod momentum_out_of_range;
pub(crate) mod no_epochs;
pub(crate) mod optimizer_class;
pub(crate) mod plateau_factor;
pub(crate) mod schedule_and_callback;
pub(crate) mod several_clippings;
pub(crate) mod shared_optimizer;
pub(crate) mod unknown_optimizer;
