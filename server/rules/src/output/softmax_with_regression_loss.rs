//! # softmax-with-regression-loss (DL107)
//!
//! ## What it does
//! Finds models that end in a softmax and are compiled with a loss for numbers: squared error, absolute error, Huber …
//!
//! ## Why it matters
//! Softmax outputs lie between 0 and 1 and sum to 1. If the targets are numbers, they cannot be reached. If they are
//! one-hot classes, the combination is known as the Brier score and does train, but its gradient vanishes where the
//! network is confidently wrong, which is where cross-entropy pushes hardest: training starts slowly or stalls.
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(64, activation="relu"),
//!     keras.layers.Dense(10, activation="softmax"),
//! ])
//! model.compile(optimizer="sgd", loss="mean_squared_error")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(64, activation="relu"),
//!     keras.layers.Dense(10, activation="softmax"),
//! ])
//! model.compile(optimizer="sgd", loss="categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! Unsafe: right for one-hot labels; numbers need a linear output instead.
//!
//! ## References
//! - Golik, Doetsch, Ney: Cross-entropy vs. squared error training, Interspeech 2013
//! - Ahmed et al.: DL Contract, FSE 2023

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use super::softmax_on_one_unit::one_unit_softmax;
use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL107",
    name: "softmax-with-regression-loss",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("softmax_with_regression_loss.rs"),
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
    if head.activation != "softmax" || !loss.is_regression() || one_unit_softmax(head) {
        return None;
    }
    let message = format!(
        "a softmax output is a distribution over classes, but `{}` measures the distance between numbers: with one-hot \
         labels it learns slowly where it is confidently wrong, with numbers as targets it cannot reach them. Use \
         `categorical_crossentropy` for classes, or a linear output for numbers",
        loss.name
    );
    let edit = context.replace_name(loss.range, &loss.written, "categorical_crossentropy");
    let fix =
        edit.map(|edit| context.fix_all("Use categorical cross-entropy", Applicability::Unsafe, vec![edit]));
    Some(Finding {
        confidence: 0.65,
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
            model("L.Dense(10, 'softmax')", "'kl_divergence'"),
            model("L.Dense(10, 'sigmoid')", "'mse'"),
            model("L.Dense(10)", "'mse'"),
            model("L.Dense(10, 'softmax')", "brier"),
        ];
        let fail = [
            (model("L.Dense(10, 'softmax')", "loss='mse'"), "'mse'"),
            (
                model("L.Dense(n), L.Activation('softmax')", "keras.losses.Huber(0.5)"),
                "keras.losses.Huber(0.5)",
            ),
        ];
        let fix = [(
            model("L.Dense(10, 'softmax')", "loss=\"mean_squared_error\""),
            model("L.Dense(10, 'softmax')", "loss=\"categorical_crossentropy\""),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
