//! DL0: what Keras accepts and refuses.

pub(crate) mod integer_learning_rate;
pub(crate) mod private_keras;
pub(crate) mod removed_argument;
pub(crate) mod removed_name;
