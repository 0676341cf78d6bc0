//! # constant-features (DL420)
//!
//! ## What it does
//! Finds features that are the same for every sample: an array of zeros or ones that nothing fills, a column that is set to one number.
//!
//! ## Why it matters
//! What is the same for every sample tells nothing about it. Where that is all there is, the network learns one number
//! for all samples; a single such column does no more than the bias. Often the array was to be filled, or was
//! overwritten by a slip.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! x = np.zeros((1000, 8))
//! y = load_labels()
//! model = keras.Sequential([keras.layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! x = load_features()
//! y = load_labels()
//! model = keras.Sequential([keras.layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix.
//!
//! ## References
//! - Braiek, Khomh: TheDeepChecker, TOSEM 2023 (constant features)

use finding::{Finding, Kind, RuleInfo, Severity};

use crate::context::Context;
use crate::read::{Data, is_constant, whole_column};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL420",
    name: "constant-features",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("constant_features.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.training_sets() {
        let Some(x) = &sets.training.x else { continue };
        // A smoke test trains on nothing at all.
        let of_nothing = sets.training.y.as_ref().is_none_or(|y| is_constant(context, y));
        // That is another rule's.
        let missing = x.values().any(|value| value.contains("nan"));
        if x.is_raw() && is_constant(context, x) && !of_nothing && !missing {
            let place = x.last_change().map_or(x.range, |step| step.change.statement);
            let message = "the features are the same for every sample, so the network can learn no more than one answer for all; fill the \
                           array, or pass the one that holds the data";
            findings.push(Finding {
                confidence: 0.85,
                ..context.finding(&INFO, place, message)
            });
        } else if let Some(finding) = column(context, x) {
            findings.push(finding);
        }
    }
    findings
}

/// `table['a'] = 1` as the last thing that happens to the features. Information: a column of ones may be meant as a bias.
fn column(context: &Context<'_>, x: &Data<'_>) -> Option<Finding> {
    let change = whole_column(context, x)?;
    let target = change.target.slice(context.text);
    let value = change.value.slice(context.text).trim();
    let plain = value.parse::<f64>().is_ok_and(f64::is_finite);
    plain.then(|| Finding {
        severity: Severity::Information,
        confidence: 0.6,
        ..context.finding(
            &INFO,
            change.statement,
            format!("`{target}` is {value} for every sample, so it tells the network nothing that its biases do not"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::trained as script;

    #[test]
    fn tables() {
        let pass = [
            script("x = np.zeros((9, 4))\nfor i in range(9):\n    x[i] = read(i)\n"),
            script("x = np.zeros((9, 4))\nfill(x)\n"),
            script("x = np.zeros((9, 4))\nread_into(x, len(files))\n"),
            script("t.loc[mask, 'flag'] = 1\nx = t.values\n"),
            script("t['flag'] = 1\nx = t[['b', 'c']].values\n"),
            script("x = np.zeros((9, 4))\nx += noise()\n"),
            script("x = np.zeros((9, 4))\ny = np.ones(9)\n"),
            script("x = np.zeros((9, 4))\nx[:, 0] = load()\n"),
            script("x = np.zeros((9, 4)) + load()\n"),
            script("x = load()\n"),
            script("t['b'] = 0\nt['b'] = t['c']\nx = t.values\n"),
        ];
        let fail = [
            (script("x = np.zeros((9, 4))\n"), "x = np.zeros((9, 4))"),
            (
                script("x = np.ones((9, 4), dtype='float32')\nprint(x.shape)\n"),
                "x = np.ones((9, 4), dtype='float32')",
            ),
            (script("t['b'] = 0\nx = t.values\n"), "t['b'] = 0"),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
