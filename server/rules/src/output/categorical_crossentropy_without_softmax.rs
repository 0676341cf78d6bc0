//! # categorical-crossentropy-without-softmax (DL104)
//!
//! ## What it does
//! Finds models compiled with categorical or sparse categorical cross-entropy whose output is no distribution over the
//! classes, while the loss was not told that it gets logits.
//!
//! ## Why it matters
//! The loss takes the logarithm of the probability of the right class. Keras divides the outputs by their sum and clips
//! them: negative outputs have no gradient, a sum near zero gives huge values or NaN. A classifier with a ReLU output ends
//! in NaN or at ln(number of classes) and stays there. With sigmoid outputs the classes do not compete; Keras on
//! TensorFlow happens to treat them as a softmax, other back ends do not.
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(64, activation="relu"),
//!     keras.layers.Dense(10),
//! ])
//! model.compile(optimizer="adam", loss="categorical_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(64, activation="relu"),
//!     keras.layers.Dense(10, activation="softmax"),
//! ])
//! model.compile(optimizer="adam", loss="categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! Safe, unless the script turns predictions into probabilities itself (it mentions `softmax(`): then `from_logits=True`
//! may be what is meant. Unsafe for sigmoid outputs, where several labels may be right at once.
//!
//! ## References
//! - Schoop, Huang, Hartmann: UMLAUT, CHI 2021
//! - [keras.losses.CategoricalCrossentropy](https://keras.io/api/losses/probabilistic_losses/)

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL104",
    name: "categorical-crossentropy-without-softmax",
    kind: Kind::OutputActivation,
    severity: Severity::Error,
    source: include_str!("categorical_crossentropy_without_softmax.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .heads()
        .filter_map(|output| of_output(context, output))
        .collect()
}

fn of_output(context: &Context<'_>, output: &Output<'_>) -> Option<Finding> {
    let (head, loss) = (&output.head, &output.loss);
    if !loss.is_categorical() || loss.from_logits != Some(false) || head.units == Some(1) {
        return None;
    }
    let (name, activation) = (loss.name, head.activation);
    let (severity, confidence, message) = match activation {
        // Positive outputs (exponential, softplus) are a distribution once Keras has divided them by their sum.
        "linear" | "relu" | "relu6" | "tanh" | "hard_tanh" | "softsign" | "leaky_relu" | "elu" | "selu"
        | "gelu" | "silu" | "celu" | "mish" | "hard_silu" | "log_sigmoid" | "log_softmax" => (
            Severity::Error,
            if activation == "linear" { 0.92 } else { 0.95 },
            format!(
                "`{name}` needs probabilities that sum to 1, but this output is {activation}; values at or below 0 are \
                 clipped and have no gradient, so training stalls or ends in NaN. Use a softmax here, or \
                 `from_logits=True` in the loss with a linear output"
            ),
        ),
        "sigmoid" | "hard_sigmoid" => (
            Severity::Warning,
            0.7,
            format!(
                "`{name}` needs probabilities that sum to 1, but {activation} units are independent of one another; use a \
                 softmax if exactly one class is right, or binary cross-entropy if several can be"
            ),
        ),
        _ => return None,
    };
    let safe = severity == Severity::Error && !context.text.contains("softmax(");
    let applicability = if safe {
        Applicability::Safe
    } else {
        Applicability::Unsafe
    };
    let edit = context.activation_edit(head, "softmax");
    Some(Finding {
        severity,
        confidence,
        layer: context.layer(output.model, head.position),
        fixes: edit
            .map(|edit| context.fix_all("Use a softmax output", applicability, vec![edit]))
            .into_iter()
            .collect(),
        ..context.finding(&INFO, head.range(), message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [
            model("L.Dense(10, activation='softmax')", "'categorical_crossentropy'"),
            model(
                "L.Dense(10, activation='exponential')",
                "'categorical_crossentropy'",
            ),
            model(
                "L.Dense(10)",
                "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
            ),
            model("L.Dense(10)", "keras.losses.SparseCategoricalCrossentropy(True)"),
            model(
                "L.Dense(10)",
                "keras.losses.SparseCategoricalCrossentropy(from_logits=flag)",
            ),
            model(
                "L.Dense(10), L.Activation('softmax')",
                "'sparse_categorical_crossentropy'",
            ),
            model("L.Dense(10), L.Softmax()", "'sparse_categorical_crossentropy'"),
            model(
                "L.Conv2D(10, 1), L.GlobalAveragePooling2D(), L.Activation('softmax')",
                "'categorical_crossentropy'",
            ),
            model("mine.Head(10)", "'categorical_crossentropy'"),
        ];
        let fail = [
            (model("L.Dense(10)", "'categorical_crossentropy'"), "L.Dense(10)"),
            (
                model(
                    "L.Dense(10, activation='relu')",
                    "'sparse_categorical_crossentropy'",
                ),
                "'relu'",
            ),
            (
                model(
                    "L.Dense(10, activation='tanh')",
                    "keras.losses.CategoricalCrossentropy()",
                ),
                "'tanh'",
            ),
            (
                model("L.Dense(10, activation='sigmoid')", "'categorical_crossentropy'"),
                "'sigmoid'",
            ),
            (
                model(
                    "L.Dense(10), L.Activation('relu')",
                    "loss=['categorical_crossentropy']",
                ),
                "'relu'",
            ),
        ];
        let fix = [
            (
                model("L.Dense(10, name='out',)", "'categorical_crossentropy'"),
                model(
                    "L.Dense(10, name='out', activation='softmax',)",
                    "'categorical_crossentropy'",
                ),
            ),
            (
                model(
                    "L.Dense(10, activation=keras.activations.relu)",
                    "'categorical_crossentropy'",
                ),
                model(
                    "L.Dense(10, activation=keras.activations.softmax)",
                    "'categorical_crossentropy'",
                ),
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
