//! DL3: optimisation.

pub(crate) mod learning_rate_out_of_range;
