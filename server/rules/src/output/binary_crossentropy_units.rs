//! # binary-crossentropy-units (DL109)
//!
//! ## What it does
//! Finds models with several output units and binary cross-entropy that are fitted to one column of zeros and ones.
//!
//! ## Why it matters
//! Each unit needs a label of its own. Keras 3 refuses to compare a prediction of several columns with a single column
//! of labels (`ValueError` at the first batch); Keras 2 stretched the column over all units. The rule only speaks where
//! the script shows what the labels are: spelled out, or made by a function of scikit-learn that gives two classes.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
//! y = np.array([0, 1, 1, 0])
//! model = keras.Sequential([
//!     keras.layers.Dense(8, activation="relu"),
//!     keras.layers.Dense(2, activation="sigmoid"),
//! ])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x, y, epochs=100)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
//! y = np.array([0, 1, 1, 0])
//! model = keras.Sequential([
//!     keras.layers.Dense(8, activation="relu"),
//!     keras.layers.Dense(1, activation="sigmoid"),
//! ])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x, y, epochs=100)
//! ```
//!
//! ## Fix safety
//! Unsafe: code that reads the predictions may expect two columns. Offered for sigmoid outputs only.
//!
//! ## References
//! - Measured on Keras 3.15.1: "Arguments `target` and `output` must have the same rank"
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::{Fit, Provenance};

use crate::context::{Context, Output};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL109",
    name: "binary-crossentropy-units",
    kind: Kind::LayerSize,
    severity: Severity::Error,
    source: include_str!("binary_crossentropy_units.rs"),
};

/// Functions of scikit-learn whose labels are one column of zeros and ones.
const TWO_CLASSES: [&str; 3] = ["make_moons", "make_circles", "load_breast_cancer"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let suspects: Vec<_> = context
        .program
        .fits
        .iter()
        .filter_map(|fit| suspect(context, fit))
        .collect();
    let labels: Vec<_> = suspects.iter().map(|(_, labels)| *labels).collect();
    let provenances = context.program.provenances(context.text, &labels);
    suspects
        .iter()
        .zip(&provenances)
        .filter(|(_, provenance)| are_zero_one(context, provenance))
        .filter_map(|((output, _), _)| finding(context, output))
        .collect()
}

/// An output of several units under this loss, with the variable of the labels and where `fit` takes it.
fn suspect<'c, 'a>(context: &'c Context<'a>, fit: &Fit) -> Option<(&'c Output<'a>, (Range, usize))> {
    let compile = context.program.call(fit.compile?);
    let output = context
        .outputs
        .iter()
        .find(|output| std::ptr::eq(output.compile, compile))?;
    let several = output.head.units.is_some_and(|units| units > 1);
    let call = context.program.call(fit.call);
    let labels = call.argument("y")?.value.range;
    (several && output.loss.name == "binary_crossentropy" && is_name(labels.slice(context.text)))
        .then_some((output, (labels, call.range.start)))
}

fn finding(context: &Context<'_>, output: &Output<'_>) -> Option<Finding> {
    let Output { head, model, .. } = output;
    let units = head.units?;
    let argument = head.call.argument("units")?;
    let message = format!(
        "the labels are one column of zeros and ones, but the model has {units} output units and binary cross-entropy needs \
         a label for each: Keras raises an exception at the first batch; use 1 unit with a sigmoid"
    );
    let sigmoid = head.activation == "sigmoid";
    let fix = sigmoid.then(|| {
        context.fix(
            "Use a single output unit",
            Applicability::Unsafe,
            argument.value.range,
            "1",
        )
    });
    Some(Finding {
        layer: context.layer(model, head.position),
        confidence: 0.93,
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, argument.value.range, message)
    })
}

fn is_name(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn are_zero_one(context: &Context<'_>, provenance: &Provenance) -> bool {
    // On the way, the labels may be split and renamed, not given another shape.
    let same_shape = provenance.chain.iter().all(|step| {
        let value = step.value.slice(context.text);
        is_name(value) || value.contains("train_test_split(")
    });
    let made = provenance
        .change
        .map_or("", |change| change.value.slice(context.text));
    same_shape && (spelled_out(made) || (context.text.contains("sklearn") && two_classes(made)))
}

/// `np.array([0, 1, 1, 0])`, with or without the call and a type.
fn spelled_out(value: &str) -> bool {
    let list = value
        .trim()
        .trim_start_matches(|letter: char| letter.is_alphanumeric() || "_.(".contains(letter));
    let Some((labels, rest)) = list.strip_prefix('[').and_then(|list| list.split_once(']')) else {
        return false;
    };
    let mut labels = labels
        .split(',')
        .map(str::trim)
        .filter(|label| !label.is_empty())
        .peekable();
    let plain_rest = !rest.contains(['[', '*', '+']) && !rest.contains(").");
    plain_rest
        && labels.peek().is_some()
        && labels.all(|label| matches!(label, "0" | "1" | "0." | "1." | "0.0" | "1.0"))
}

fn two_classes(value: &str) -> bool {
    let name = value.split('(').next().unwrap_or_default();
    let name = name.rsplit('.').next().unwrap_or_default().trim();
    TWO_CLASSES.contains(&name) && !value.contains(").")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(labels: &str, head: &str, y: &str) -> String {
        format!(
            "import keras\nimport numpy as np\nfrom sklearn.datasets import make_moons\n\
             from sklearn.model_selection import train_test_split\nfrom keras import layers as L\n{labels}\n\
             m = keras.Sequential([{head}])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, {y}, epochs=3)\n"
        )
    }

    #[test]
    fn tables() {
        let plain = "y = np.array([0, 1, 1, 0])";
        let pass = [
            script(plain, "L.Dense(1, 'sigmoid')", "y"),
            script("y = np.array([[0, 1], [1, 0]])", "L.Dense(2, 'sigmoid')", "y"),
            script(
                "y = np.array([0, 1, 1, 0]).reshape(2, 2)",
                "L.Dense(2, 'sigmoid')",
                "y",
            ),
            script(
                "y = np.array([0, 1, 1, 0])\ny = y.reshape(2, 2)",
                "L.Dense(2, 'sigmoid')",
                "y",
            ),
            script(
                "y = np.array([0, 1, 1, 0])\ny = keras.utils.to_categorical(y)",
                "L.Dense(2, 'sigmoid')",
                "y",
            ),
            script(plain, "L.Dense(2, 'sigmoid')", "encode(y)"),
            script("y = load()", "L.Dense(2, 'sigmoid')", "y"),
            script("y = np.array([0, 1, 2])", "L.Dense(3, 'sigmoid')", "y"),
        ];
        let fail = [
            (script(plain, "L.Dense(2, 'sigmoid')", "y"), "2"),
            (
                script("y = [0, 1.0]", "L.Dense(units=2, activation='softmax')", "y"),
                "2",
            ),
            (
                script(
                    "X, Y = make_moons(100)\nx, xt, y, yt = train_test_split(X, Y)",
                    "L.Dense(2, 'sigmoid')",
                    "y",
                ),
                "2",
            ),
        ];
        let fix = [(
            script(plain, "L.Dense(2, 'sigmoid')", "y"),
            script(plain, "L.Dense(1, 'sigmoid')", "y"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
