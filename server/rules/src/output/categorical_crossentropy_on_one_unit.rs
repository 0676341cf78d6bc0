//! # categorical-crossentropy-on-one-unit (DL105)
//!
//! ## What it does
//! Finds models with a single output unit that are compiled with categorical or sparse categorical cross-entropy.
//!
//! ## Why it matters
//! These losses compare classes, one unit each. With one unit there is one class: categorical cross-entropy is 0 from the
//! first batch on and nothing is learned; sparse categorical cross-entropy raises an exception at the first label that is
//! not 0.
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(16, activation="relu"),
//!     keras.layers.Dense(1, activation="sigmoid"),
//! ])
//! model.compile(optimizer="adam", loss="categorical_crossentropy")
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
//! Unsafe, and offered for sigmoid outputs only: with more than two classes the output needs more units instead.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022
//! - Measured on Keras 3.15.1: loss 0.0 in every epoch, or `InvalidArgumentError`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use super::softmax_on_one_unit::one_unit_softmax;
use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL105",
    name: "categorical-crossentropy-on-one-unit",
    kind: Kind::Loss,
    severity: Severity::Error,
    source: include_str!("categorical_crossentropy_on_one_unit.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .outputs
        .iter()
        .filter_map(|output| of_output(context, output))
        .collect()
}

fn of_output(context: &Context<'_>, output: &Output<'_>) -> Option<Finding> {
    let (head, loss) = (&output.head, &output.loss);
    if !loss.is_categorical() || head.units != Some(1) || one_unit_softmax(head) {
        return None;
    }
    let consequence = if loss.name.starts_with("sparse") {
        "any label but 0 raises an exception"
    } else {
        "the loss is 0 from the first batch on and nothing is learned"
    };
    let message = format!(
        "`{}` compares classes, one unit each, but the model has a single output unit: {consequence}; use binary \
         cross-entropy with a sigmoid for two classes, or one unit per class",
        loss.name
    );
    let edit = context
        .replace_name(loss.range, &loss.written, "binary_crossentropy")
        .filter(|_| head.activation == "sigmoid");
    let fix = edit.map(|edit| context.fix_all("Use binary cross-entropy", Applicability::Unsafe, vec![edit]));
    Some(Finding {
        confidence: 0.96,
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, loss.range, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [
            model("L.Dense(2, 'softmax')", "'categorical_crossentropy'"),
            model("L.Dense(1, 'sigmoid')", "'binary_crossentropy'"),
            model("L.Dense(n, 'softmax')", "'categorical_crossentropy'"),
            model("L.Dense(1, 'sigmoid'), L.Reshape((28, 28))", "mine"),
        ];
        let fail = [
            (
                model("L.Dense(1, 'sigmoid')", "'categorical_crossentropy'"),
                "'categorical_crossentropy'",
            ),
            (
                model("L.Dense(1)", "'sparse_categorical_crossentropy'"),
                "'sparse_categorical_crossentropy'",
            ),
        ];
        let fix = [(
            model("L.Dense(1, 'sigmoid')", "'categorical_crossentropy'"),
            model("L.Dense(1, 'sigmoid')", "'binary_crossentropy'"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
