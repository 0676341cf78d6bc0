//! # binary-crossentropy-without-sigmoid (DL102)
//!
//! ## What it does
//! Finds models compiled with binary cross-entropy whose output can leave the interval from 0 to 1.
//!
//! ## Why it matters
//! Binary cross-entropy takes the logarithm of the predicted probability. Keras clips what lies outside 0 to 1, and the
//! gradient of a clipped value is zero: every sample predicted below 0 or above 1 teaches nothing, however wrong it is.
//! Linear, ReLU and tanh outputs start with a large share of such samples, and often all of them end there.
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(16, activation="relu"),
//!     keras.layers.Dense(1),
//! ])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(16, activation="relu"),
//!     keras.layers.Dense(1, activation="sigmoid"),
//! ])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! ```
//!
//! ## Fix safety
//! Safe, unless the script turns predictions into probabilities itself (it mentions `sigmoid(` or `expit(`): then
//! `BinaryCrossentropy(from_logits=True)` may be what is meant.
//!
//! ## References
//! - [keras.losses.BinaryCrossentropy](https://keras.io/api/losses/probabilistic_losses/)
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL102",
    name: "binary-crossentropy-without-sigmoid",
    kind: Kind::OutputActivation,
    severity: Severity::Error,
    source: include_str!("binary_crossentropy_without_sigmoid.rs"),
};

/// What each activation can give that is no probability.
fn outside(activation: &str) -> Option<&'static str> {
    Some(match activation {
        "linear" => "any number",
        "relu" | "softplus" | "exponential" | "squareplus" => "values above 1",
        "relu6" => "values up to 6",
        "tanh" | "softsign" | "hard_tanh" => "values from -1 to 1",
        "leaky_relu" | "elu" | "selu" | "gelu" | "silu" | "celu" | "mish" | "hard_silu" => {
            "negative values and values above 1"
        }
        "log_sigmoid" | "log_softmax" => "only negative values",
        _ => return None,
    })
}

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .heads()
        .filter_map(|output| of_output(context, output))
        .collect()
}

fn of_output(context: &Context<'_>, output: &Output<'_>) -> Option<Finding> {
    let (head, loss) = (&output.head, &output.loss);
    if loss.name != "binary_crossentropy" || loss.from_logits != Some(false) {
        return None;
    }
    let values = outside(head.activation)?;
    let activation = head.activation;
    let message = format!(
        "binary cross-entropy needs probabilities, but this output is {activation} and gives {values}; what lies outside 0 \
         to 1 is clipped and has no gradient, so those samples teach nothing. Use a sigmoid here, or \
         `BinaryCrossentropy(from_logits=True)` with a linear output"
    );
    let converts = ["sigmoid(", "expit("]
        .iter()
        .any(|call| context.text.contains(call));
    let applicability = if converts {
        Applicability::Unsafe
    } else {
        Applicability::Safe
    };
    let edit = context.activation_edit(head, "sigmoid");
    Some(Finding {
        layer: context.layer(output.model, head.position),
        confidence: if activation == "linear" { 0.93 } else { 0.95 },
        fixes: edit
            .map(|edit| context.fix_all("Use a sigmoid output", applicability, vec![edit]))
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
            model("L.Dense(1, activation='sigmoid')", "'binary_crossentropy'"),
            model("L.Dense(1, activation='hard_sigmoid')", "'binary_crossentropy'"),
            model("L.Dense(1)", "keras.losses.BinaryCrossentropy(from_logits=True)"),
            model("L.Dense(1)", "keras.losses.BinaryCrossentropy(**options)"),
            model("L.Dense(1), L.Activation('sigmoid')", "'binary_crossentropy'"),
            model("L.Dense(1), L.Lambda(f)", "'binary_crossentropy'"),
            model("L.Dense(1, activation=mine)", "'binary_crossentropy'"),
            model("L.Dense(1, **options)", "'binary_crossentropy'"),
            model("L.Dense(1)", "mine"),
        ];
        let fail = [
            (model("L.Dense(1)", "'binary_crossentropy'"), "L.Dense(1)"),
            (
                model("L.Dense(1, activation=None)", "'binary_crossentropy'"),
                "None",
            ),
            (model("L.Dense(1, activation='relu')", "loss='bce'"), "'relu'"),
            (
                model(
                    "L.Dense(1), L.Activation('tanh'), L.Identity()",
                    "keras.losses.BinaryCrossentropy()",
                ),
                "'tanh'",
            ),
            (
                model("L.Dense(3, 'linear')", "keras.losses.binary_crossentropy"),
                "'linear'",
            ),
            (
                model("L.LSTM(1)", "keras.losses.BinaryCrossentropy(from_logits=False)"),
                "L.LSTM(1)",
            ),
            (model("L.Dense(1), L.ReLU()", "'binary_crossentropy'"), "L.ReLU()"),
        ];
        let fix = [
            (
                model("L.Dense(1)", "'binary_crossentropy'"),
                model("L.Dense(1, activation='sigmoid')", "'binary_crossentropy'"),
            ),
            (
                model("L.Dense(1), L.Activation('relu')", "'binary_crossentropy'"),
                model("L.Dense(1), L.Activation('sigmoid')", "'binary_crossentropy'"),
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
