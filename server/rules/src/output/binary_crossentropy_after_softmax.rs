//! # binary-crossentropy-after-softmax (DL103)
//!
//! ## What it does
//! Finds models that end in a softmax over several classes and are compiled with binary cross-entropy.
//!
//! ## Why it matters
//! Softmax says that exactly one class is right; binary cross-entropy judges every unit as a question of its own and
//! averages over them. With many classes nearly all of these questions are answered "no", the loss looks small from the
//! start, and the gradient of the right class is divided by the number of classes. With two classes the two are the same.
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(16, activation="relu"),
//!     keras.layers.Dense(10, activation="softmax"),
//! ])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(16, activation="relu"),
//!     keras.layers.Dense(10, activation="softmax"),
//! ])
//! model.compile(optimizer="adam", loss="categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! Unsafe: when several labels can be right at once, the activation should become a sigmoid instead.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use crate::read::Encoding;
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL103",
    name: "binary-crossentropy-after-softmax",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("binary_crossentropy_after_softmax.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .heads()
        .filter_map(|output| of_output(context, output))
        .collect()
}

fn of_output(context: &Context<'_>, output: &Output<'_>) -> Option<Finding> {
    let (head, loss) = (&output.head, &output.loss);
    let units = head.units.filter(|units| *units > 2)?;
    if loss.name != "binary_crossentropy" || loss.from_logits != Some(false) || head.activation != "softmax" {
        return None;
    }
    // Labels in one column raise an exception, which another rule says.
    let one_column =
        context.sets().iter().any(|sets| {
            context
                .output_of_fit(sets.training.call)
                .is_some_and(|of_fit| std::ptr::eq(of_fit, output))
                && sets.training.y.as_ref().is_some_and(|y| {
                    matches!(y.encoding(context.program), Some(Encoding::Numbers(Some(2..))))
                })
        });
    if one_column {
        return None;
    }
    let message = format!(
        "the output is a softmax over {units} classes, of which one is right, but binary cross-entropy judges each of the \
         {units} units on its own; use `categorical_crossentropy`, or a sigmoid if several labels can be right at once"
    );
    let edit = context.replace_name(loss.range, &loss.written, "categorical_crossentropy");
    let fix =
        edit.map(|edit| context.fix_all("Use categorical cross-entropy", Applicability::Unsafe, vec![edit]));
    Some(Finding {
        confidence: 0.7,
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
            model("L.Dense(10, 'softmax')", "'categorical_crossentropy'"),
            model("L.Dense(10, 'sigmoid')", "'binary_crossentropy'"),
            model("L.Dense(2, 'softmax')", "'binary_crossentropy'"),
            model("L.Dense(n, 'softmax')", "'binary_crossentropy'"),
        ];
        let fail = [
            (
                model("L.Dense(10, 'softmax')", "'binary_crossentropy'"),
                "'binary_crossentropy'",
            ),
            (
                model(
                    "L.Dense(10), L.Softmax()",
                    "loss=keras.losses.BinaryCrossentropy()",
                ),
                "keras.losses.BinaryCrossentropy()",
            ),
        ];
        let fix = [(
            model("L.Dense(10, 'softmax')", "keras.losses.binary_crossentropy"),
            model("L.Dense(10, 'softmax')", "keras.losses.categorical_crossentropy"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
