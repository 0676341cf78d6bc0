//! # softmax-in-hidden-layer (DL203)
//!
//! ## What it does
//! Finds hidden layers with a softmax activation.
//!
//! ## Why it matters
//! Softmax makes the units of a layer share a sum of 1: they compete, most end near 0, and little signal or gradient
//! passes on to the layers behind. It belongs on the output of a classifier, or into attention.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(64, activation="softmax"), layers.Dense(10, activation="softmax")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")])
//! ```
//!
//! ## Fix safety
//! Unsafe: relu is the usual choice, not the only one.
//!
//! ## References
//! - Wardat, Le, Rajan: DeepLocalize, ICSE 2021 (softmax among the hidden layers of the faulty programs)

use crate::context::Context;
use crate::read::{Head, has_units};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL203",
    name: "softmax-in-hidden-layer",
    kind: Kind::HiddenActivation,
    severity: Severity::Warning,
    source: include_str!("softmax_in_hidden_layer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, call) in chain.layers.iter().enumerate() {
            let learns_after = chain.layers.iter().skip(index + 1).any(|next| has_units(next));
            let Some(head) =
                Head::of_layer(context.program, call).filter(|_| learns_after && has_units(call))
            else {
                continue;
            };
            // With one unit, softmax is wrong for a simpler reason that has its own rule.
            if head.activation != "softmax" || head.units == Some(1) {
                continue;
            }
            let message = "softmax in a hidden layer makes its units share a sum of 1, so most of them are near 0 and \
                           little signal passes on; use relu here and keep softmax for the output";
            let edit = context.activation_edit(&head, "relu");
            let fix = edit.map(|edit| context.fix_all("Use relu", Applicability::Unsafe, vec![edit]));
            findings.push(Finding {
                layer: context.layer(chain.model, chain.position(index)),
                confidence: 0.88,
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, head.range(), message)
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.Dense(8, 'relu'), L.Dense(3, 'softmax')"),
            layers("L.Dense(8, 'relu'), L.Dense(3, 'softmax'), L.Dropout(0.1)"),
            layers("L.Dense(8, f), L.Dense(3, 'softmax')"),
        ];
        let fail = [
            (
                layers("L.Dense(8, 'softmax'), L.Dense(3, 'softmax')"),
                "'softmax'",
            ),
            (
                layers("L.LSTM(8, activation='softmax'), L.Dense(3, 'softmax')"),
                "'softmax'",
            ),
        ];
        let fix = [(
            layers("L.Dense(8, 'softmax'), L.Dense(3, 'softmax')"),
            layers("L.Dense(8, 'relu'), L.Dense(3, 'softmax')"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
