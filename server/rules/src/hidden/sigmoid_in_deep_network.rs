//! # sigmoid-in-deep-network (DL204)
//!
//! ## What it does
//! Finds three or more hidden layers with sigmoid activations one behind the other; a warning from five on.
//!
//! ## Why it matters
//! The slope of a sigmoid is at most 0.25, so the gradient shrinks at least fourfold per layer: after five layers less
//! than a thousandth is left, and the first layers hardly learn. Normalisation layers in between help, and silence the
//! rule.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     layers.Dense(32, activation="sigmoid"),
//!     layers.Dense(32, activation="sigmoid"),
//!     layers.Dense(32, activation="sigmoid"),
//!     layers.Dense(1),
//! ])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     layers.Dense(32, activation="relu"),
//!     layers.Dense(32, activation="relu"),
//!     layers.Dense(32, activation="relu"),
//!     layers.Dense(1),
//! ])
//! ```
//!
//! ## Fix safety
//! Unsafe: relu is the usual choice, not the only one.
//!
//! ## References
//! - Zhang et al.: AUTOTRAINER, ICSE 2021 (vanishing gradient)
//! - Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010

use crate::context::Context;
use crate::read::{Chain, Head, has_units};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL204",
    name: "sigmoid-in-deep-network",
    kind: Kind::HiddenActivation,
    severity: Severity::Information,
    source: include_str!("sigmoid_in_deep_network.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .chains
        .iter()
        .filter_map(|chain| of_chain(context, chain))
        .collect()
}

fn of_chain(context: &Context<'_>, chain: &Chain<'_>) -> Option<Finding> {
    if chain
        .layers
        .iter()
        .any(|call| call.class().ends_with("Normalization"))
    {
        return None;
    }
    let last = chain.layers.iter().rposition(|call| has_units(call))?;
    let sigmoids: Vec<_> = chain
        .layers
        .iter()
        .take(last)
        .enumerate()
        .filter(|(_, call)| matches!(call.class(), "Dense" | "Conv1D" | "Conv2D" | "Conv3D"))
        .filter_map(|(index, call)| Some((index, Head::of_layer(context.program, call)?)))
        .filter(|(_, head)| head.activation == "sigmoid")
        .collect();
    let (index, first) = sigmoids.first().filter(|_| sigmoids.len() >= 3)?;
    let count = sigmoids.len();
    let message = format!(
        "{count} hidden layers go through a sigmoid, whose slope is at most 0.25: at least {} times less gradient \
         reaches the first of them, so it hardly learns; use relu in hidden layers",
        4_u64.saturating_pow(u32::try_from(count).unwrap_or(u32::MAX))
    );
    let edits: Option<Vec<_>> = sigmoids
        .iter()
        .map(|(_, head)| context.activation_edit(head, "relu"))
        .collect();
    let fix =
        edits.map(|edits| context.fix_all("Use relu in the hidden layers", Applicability::Unsafe, edits));
    let deep = count >= 5;
    Some(Finding {
        severity: if deep {
            Severity::Warning
        } else {
            Severity::Information
        },
        confidence: if deep { 0.8 } else { 0.6 },
        layer: context.layer(chain.model, chain.position(*index)),
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, first.range(), message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.Dense(8, 'sigmoid'), L.Dense(8, 'sigmoid'), L.Dense(1, 'sigmoid')"),
            layers(
                "L.Dense(8, 'sigmoid'), L.BatchNormalization(), L.Dense(8, 'sigmoid'), L.Dense(8, 'sigmoid'), L.Dense(1)",
            ),
            layers("L.Dense(8, 'relu'), L.Dense(8, 'relu'), L.Dense(8, 'relu'), L.Dense(1)"),
        ];
        let fail = [(
            layers(
                "L.Dense(8, 'sigmoid'), L.Dense(8, 'sigmoid'), L.Dense(8, activation='sigmoid'), L.Dense(1)",
            ),
            "'sigmoid'",
        )];
        let fix = [(
            layers("L.Dense(8, 'sigmoid'), L.Dense(8, 'sigmoid'), L.Dense(8, 'sigmoid'), L.Dense(1)"),
            layers("L.Dense(8, 'relu'), L.Dense(8, 'relu'), L.Dense(8, 'relu'), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
