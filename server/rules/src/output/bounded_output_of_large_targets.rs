//! # bounded-output-of-large-targets (DL116)
//!
//! ## What it does
//! Finds regression models with a sigmoid, tanh or softmax output that learn the targets of a known data set, which
//! are far larger than that output can be.
//!
//! ## Why it matters
//! A sigmoid ends at 1. Trained towards prices or scores in the tens or hundreds it goes to its end for every sample
//! and stays there: the gradient is zero and every prediction is the same.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.datasets import load_diabetes
//! x, y = load_diabetes(return_X_y=True)
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.datasets import load_diabetes
//! x, y = load_diabetes(return_X_y=True)
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! Unsafe: the targets may be scaled instead.
//!
//! ## References
//! - Ranges of the targets: diabetes 25 to 346, Boston housing 5 to 50, California housing 0.15 to 5 (hundreds of
//!   thousands of dollars; in `keras.datasets` dollars)

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use crate::context::Context;
use crate::read::{Data, compact};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL116",
    name: "bounded-output-of-large-targets",
    kind: Kind::OutputActivation,
    severity: Severity::Warning,
    source: include_str!("bounded_output_of_large_targets.rs"),
};

/// Loaders of regression data, with the largest target.
const LOADERS: [(&str, &str); 6] = [
    ("load_diabetes(", "346"),
    ("load_boston(", "50"),
    ("fetch_california_housing(", "5"),
    ("boston_housing.load_data(", "50"),
    ("california_housing.load_data(", "500001"),
    ("make_regression(", "hundreds"),
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(output) = context.output_of_fit(sets.training.call) else {
            continue;
        };
        let (head, loss) = (&output.head, &output.loss);
        let bounded = matches!(head.activation, "sigmoid" | "hard_sigmoid" | "tanh" | "softmax");
        // One unit with softmax has a rule of its own.
        if !bounded || !loss.is_regression() || (head.activation == "softmax" && head.units == Some(1)) {
            continue;
        }
        let Some(largest) = sets.training.y.as_ref().and_then(largest_target) else {
            continue;
        };
        let bound = if head.activation == "softmax" {
            "shares of 1"
        } else {
            "at most 1"
        };
        let message = format!(
            "the targets go up to {largest}, but this {} output is {bound}, so it saturates and the network learns \
             nothing; use a linear output",
            head.activation
        );
        let edit = context.activation_edit(head, "linear");
        let fix = edit.map(|edit| context.fix_all("Use a linear output", Applicability::Unsafe, vec![edit]));
        findings.push(Finding {
            confidence: 0.93,
            layer: context.layer(output.model, head.position),
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, head.range(), message)
        });
    }
    findings
}

/// The largest target, where the targets are as a known loader gave them.
fn largest_target(y: &Data<'_>) -> Option<&'static str> {
    let loader = |value: &str| {
        LOADERS
            .iter()
            .find(|(loader, _)| value.contains(loader) && value.ends_with(')'))
    };
    let last = y.values().last()?;
    let made = last.strip_suffix(".target").and_then(|object| {
        let is_made = |line: &&str| {
            compact(line)
                .strip_prefix(object)
                .is_some_and(|rest| rest.starts_with('='))
        };
        y.text().lines().find(is_made).map(str::trim_end)
    });
    let (_, largest) = loader(made.unwrap_or(last))?;
    let untouched = y
        .steps
        .iter()
        .zip(y.values())
        .filter(|(step, _)| step.changes_values)
        .all(|(_, value)| loader(value).is_some() || value.ends_with(".target"));
    untouched.then_some(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(data: &str, head: &str, y: &str) -> String {
        format!(
            "import keras\nfrom keras.layers import Dense\nfrom sklearn.datasets import *\n{data}\n\
             m = keras.Sequential([Dense(8, 'relu'), {head}])\nm.compile('adam', 'mse')\nm.fit(x, {y})\n"
        )
    }

    #[test]
    fn tables() {
        let load = "x, y = load_diabetes(return_X_y=True)";
        let pass = [
            script(load, "Dense(1)", "y"),
            script(load, "Dense(1, 'sigmoid')", "y / 346"),
            script(
                &format!("{load}\ny = scaler.fit_transform(y)"),
                "Dense(1, 'sigmoid')",
                "y",
            ),
            script("x, y = load()", "Dense(1, 'sigmoid')", "y"),
            script(&format!("{load}\ny = y > 140"), "Dense(1, 'sigmoid')", "y"),
        ];
        let fail = [
            (script(load, "Dense(1, 'sigmoid')", "y"), "'sigmoid'"),
            (
                script(
                    "d = load_diabetes()\nx = d.data\ny = d.target",
                    "Dense(1, activation='tanh')",
                    "y",
                ),
                "'tanh'",
            ),
        ];
        let fix = [(
            script(load, "Dense(1, 'sigmoid')", "y"),
            script(load, "Dense(1, 'linear')", "y"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
