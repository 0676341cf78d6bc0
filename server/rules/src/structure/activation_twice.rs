//! # activation-twice (DL601)
//!
//! ## What it does
//! Finds two activations in a row that do not go together: relu before softmax, sigmoid before softmax, softmax twice.
//!
//! ## Why it matters
//! The first one takes from the second what it works with. Softmax needs numbers of either sign: after relu all
//! negative ones are 0, after a sigmoid or a softmax all lie between 0 and 1, so no class can get much more than its
//! share. The same activation twice, or one on top of relu, only costs time and is a hint.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(10, activation="relu"), layers.Activation("softmax")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(10), layers.Activation("softmax")])
//! ```
//!
//! ## Fix safety
//! Unsafe: of the two, the first is made linear.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022 (chained activations)
//! - Schoop, Huang, Hartmann: UMLAUT, CHI 2021 (non-linear last layer before a softmax)

use crate::context::Context;
use crate::read::{Head, has_units, is_activation, of_layer};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL601",
    name: "activation-twice",
    kind: Kind::RedundantLayer,
    severity: Severity::Warning,
    source: include_str!("activation_twice.rs"),
};

/// Activations that can be applied twice without another result.
const IDEMPOTENT: [&str; 2] = ["relu", "linear"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, first, second) in chain.pairs() {
            let before = if has_units(first) {
                Head::of_layer(context.program, first).map(|head| (head.activation, head.range(), Some(head)))
            } else if is_activation(first) {
                of_layer(context.program, first).map(|activation| (activation, first.range, None))
            } else {
                None
            };
            let after = Some(second)
                .filter(|second| is_activation(second))
                .and_then(|second| of_layer(context.program, second));
            let (Some((before, range, head)), Some(after)) = (before, after) else {
                continue;
            };
            let one_unit = head.as_ref().is_some_and(|head| head.units == Some(1));
            if before == "linear"
                || after == "linear"
                || (one_unit && (before == "softmax" || after == "softmax"))
            {
                continue;
            }
            let harmful = match (before, after) {
                ("relu" | "sigmoid" | "softmax" | "hard_sigmoid", "softmax" | "sigmoid") => true,
                ("sigmoid" | "softmax", _) => true,
                (first, second) if first == second && IDEMPOTENT.contains(&first) => false,
                _ => continue,
            };
            let message = if harmful {
                format!(
                    "{before} is applied first and {after} on top of it, which has only what {before} leaves to work with, so \
                     the output is flattened; keep {after} alone"
                )
            } else {
                format!("{after} is applied twice in a row, which changes nothing; one is enough")
            };
            let edit = head.and_then(|head| context.activation_edit(&head, "linear"));
            let fix = edit.map(|edit| {
                context.fix_all(format!("Apply {after} alone"), Applicability::Unsafe, vec![edit])
            });
            findings.push(Finding {
                severity: if harmful {
                    Severity::Warning
                } else {
                    Severity::Hint
                },
                confidence: if harmful { 0.88 } else { 0.8 },
                layer: context.layer(chain.model, chain.position(index)),
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, range, message)
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
            layers("L.Dense(10), L.Activation('softmax')"),
            layers("L.Dense(10, 'relu'), L.Dropout(0.1), L.Dense(2), L.Softmax()"),
            layers("L.Dense(10, f), L.Activation('softmax')"),
            layers("L.Dense(10, 'elu'), L.ReLU()"),
        ];
        let fail = [
            (layers("L.Dense(10, 'relu'), L.Activation('softmax')"), "'relu'"),
            (
                layers("L.Dense(8), L.Activation('sigmoid'), L.Softmax()"),
                "L.Activation('sigmoid')",
            ),
            (layers("L.Dense(8, 'relu'), L.ReLU()"), "'relu'"),
        ];
        let fix = [(
            layers("L.Dense(10, 'relu'), L.Activation('softmax')"),
            layers("L.Dense(10, 'linear'), L.Activation('softmax')"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
