//! # logits-loss-after-activation (DL106)
//!
//! ## What it does
//! Finds losses with `from_logits=True` on models whose output already goes through a softmax or a sigmoid.
//!
//! ## Why it matters
//! `from_logits=True` makes the loss apply the activation itself, so it is applied twice: probabilities between 0 and 1
//! are squeezed into a narrow band, gradients shrink, and the network learns slowly or stops early. Keras on TensorFlow
//! notices and takes back the first one; on JAX and PyTorch the same script trains differently.
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
//! model.compile(optimizer="adam", loss=keras.losses.CategoricalCrossentropy(from_logits=True))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! model = keras.Sequential([keras.layers.Dense(10)])
//! model.compile(optimizer="adam", loss=keras.losses.CategoricalCrossentropy(from_logits=True))
//! ```
//!
//! ## Fix safety
//! Safe: the loss is told what it gets. Predictions stay probabilities.
//!
//! ## References
//! - `keras/src/backend/tensorflow/nn.py` of Keras 3.15.1 (`_get_logits`)
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use super::softmax_on_one_unit::one_unit_softmax;
use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL106",
    name: "logits-loss-after-activation",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("logits_loss_after_activation.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .heads()
        .filter_map(|output| of_output(context, output))
        .collect()
}

fn of_output(context: &Context<'_>, output: &Output<'_>) -> Option<Finding> {
    let (head, loss) = (&output.head, &output.loss);
    let activated = matches!(head.activation, "softmax" | "sigmoid" | "hard_sigmoid");
    if loss.from_logits != Some(true) || !activated || one_unit_softmax(head) {
        return None;
    }
    let activation = head.activation;
    let message = format!(
        "the loss expects logits and applies its own activation, but the output has been through a {activation} already; \
         applied twice, it flattens the predictions and their gradients. Remove one of the two"
    );
    // What is written inside the loss argument is underlined there; elsewhere, the argument is.
    let argument = loss.logits_argument;
    let range = argument
        .map(|argument| argument.range)
        .filter(|range| loss.range.contains(*range))
        .unwrap_or(loss.range);
    let value = argument
        .map(|argument| argument.value.range)
        .filter(|value| value.slice(context.text) == "True");
    let fix = value.map(|value| {
        context.fix(
            "Tell the loss that it gets probabilities",
            Applicability::Safe,
            value,
            "False",
        )
    });
    Some(Finding {
        confidence: 0.9,
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, range, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [
            model(
                "L.Dense(10)",
                "keras.losses.CategoricalCrossentropy(from_logits=True)",
            ),
            model(
                "L.Dense(10, 'relu')",
                "keras.losses.CategoricalCrossentropy(from_logits=True)",
            ),
            model(
                "L.Dense(10, 'softmax')",
                "keras.losses.CategoricalCrossentropy(from_logits=False)",
            ),
            model("L.Dense(10, 'softmax')", "keras.losses.CategoricalCrossentropy()"),
        ];
        let fail = [
            (
                model(
                    "L.Dense(10, 'softmax')",
                    "loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
                ),
                "from_logits=True",
            ),
            (
                model("L.Dense(1, 'sigmoid')", "keras.losses.BinaryCrossentropy(True)"),
                "True",
            ),
            (
                model(
                    "L.Dense(1), L.Activation('sigmoid')",
                    "keras.losses.BinaryCrossentropy(from_logits=True)",
                ),
                "from_logits=True",
            ),
            (
                "import keras\nloss = keras.losses.BinaryCrossentropy(from_logits=True)\n".to_owned()
                    + "m = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('sgd', loss=loss)",
                "loss",
            ),
        ];
        let fix = [(
            model(
                "L.Dense(1, 'sigmoid')",
                "keras.losses.BinaryCrossentropy(from_logits=True)",
            ),
            model(
                "L.Dense(1, 'sigmoid')",
                "keras.losses.BinaryCrossentropy(from_logits=False)",
            ),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
