//! Reading what rules ask about off the program: the output, the loss, names of layers.

mod activation;
mod head;
mod layer_name;
mod loss;

pub(crate) use head::Head;
pub(crate) use layer_name::layer_name;
pub(crate) use loss::Loss;
