//! DL0: what Keras accepts and refuses.

pub(crate) mod integer_learning_rate;
pub(crate) mod removed_argument;
