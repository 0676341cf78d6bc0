//! Activations, however they are written.

use program::{Expr, Program, Value};

use crate::context::{Given, given};

/// The activation functions of Keras, by the names it accepts, with the name used here.
const NAMES: [(&str, &str); 31] = [
    ("celu", "celu"),
    ("elu", "elu"),
    ("exponential", "exponential"),
    ("gelu", "gelu"),
    ("glu", "glu"),
    ("hard_shrink", "hard_shrink"),
    ("hard_sigmoid", "hard_sigmoid"),
    ("hard_silu", "hard_silu"),
    ("hard_swish", "hard_silu"),
    ("hard_tanh", "hard_tanh"),
    ("leaky_relu", "leaky_relu"),
    ("linear", "linear"),
    ("log_sigmoid", "log_sigmoid"),
    ("log_softmax", "log_softmax"),
    ("mish", "mish"),
    ("relu", "relu"),
    ("relu6", "relu6"),
    ("selu", "selu"),
    ("sigmoid", "sigmoid"),
    ("silu", "silu"),
    ("soft_shrink", "soft_shrink"),
    ("softmax", "softmax"),
    ("softplus", "softplus"),
    ("softsign", "softsign"),
    ("sparse_plus", "sparse_plus"),
    ("sparsemax", "sparsemax"),
    ("squareplus", "squareplus"),
    ("swish", "silu"),
    ("tanh", "tanh"),
    ("tanh_shrink", "tanh_shrink"),
    ("threshold", "threshold"),
];

/// Name of an activation function.
pub(crate) type Activation = &'static str;

fn named(name: &str) -> Option<Activation> {
    NAMES
        .iter()
        .find(|(accepted, _)| *accepted == name)
        .map(|(_, known)| *known)
}

/// The activation function a value stands for; `None` when that is not known.
pub(crate) fn activation(program: &Program, expr: &Expr) -> Option<Activation> {
    match &expr.value {
        Value::None => Some("linear"),
        Value::Str(name) => named(name),
        Value::Reference(name) => named(name.strip_prefix("keras.activations.")?),
        Value::Call(call) => of_layer(program, program.call(*call)),
        _ => None,
    }
}

/// The activation function a layer that does nothing else applies.
pub(crate) fn of_layer(program: &Program, call: &program::Call) -> Option<Activation> {
    match call.callee.strip_prefix("keras.layers.")? {
        "Activation" => activation(program, &call.argument("activation")?.value),
        "ReLU" => Some("relu"),
        "LeakyReLU" | "PReLU" => Some("leaky_relu"),
        "ELU" => Some("elu"),
        // Over another axis it is another function.
        "Softmax" => matches!(given(call, "axis"), Given::Absent).then_some("softmax"),
        _ => None,
    }
}
