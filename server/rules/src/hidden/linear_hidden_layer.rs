//! # linear-hidden-layer (DL202)
//!
//! ## What it does
//! Finds a Dense layer without activation that is followed by another Dense layer, in a network that has activations
//! elsewhere.
//!
//! ## Why it matters
//! The two layers compute what one could: the first adds weights and no power. As a deliberate bottleneck (fewer units
//! than its neighbours) it saves weights, so those are not reported.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([
//!     layers.Dense(32, activation="relu"),
//!     layers.Dense(64),
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
//!     layers.Dense(64, activation="relu"),
//!     layers.Dense(1),
//! ])
//! ```
//!
//! ## Fix safety
//! Unsafe: relu is the usual choice, not the only one.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Call, Value};

use super::linear_network::is_linear;
use crate::context::Context;
use crate::read::Head;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL202",
    name: "linear-hidden-layer",
    kind: Kind::HiddenActivation,
    severity: Severity::Information,
    source: include_str!("linear_hidden_layer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in context.chains.iter().filter(|chain| !is_linear(context, chain)) {
        for (index, call) in chain.layers.iter().enumerate() {
            let next = chain.working_from(index + 1).next();
            let (true, Some(next)) = (
                call.class() == "Dense",
                next.filter(|next| next.class() == "Dense"),
            ) else {
                continue;
            };
            let Some(head) = Head::of_layer(context.program, call).filter(|head| head.activation == "linear")
            else {
                continue;
            };
            // A few units between many are a bottleneck, made on purpose.
            if units(call)
                .zip(units(next))
                .is_none_or(|(mine, other)| mine <= other)
            {
                continue;
            }
            let message = "this Dense layer has no activation, so it and the next one amount to a single linear layer; \
                           give it `activation=\"relu\"` or leave it out";
            let edit = context.activation_edit(&head, "relu");
            let fix = edit.map(|edit| context.fix_all("Use relu", Applicability::Unsafe, vec![edit]));
            findings.push(Finding {
                layer: context.layer(chain.model, chain.position(index)),
                confidence: 0.6,
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, call.range, message)
            });
        }
    }
    findings
}

fn units(call: &Call) -> Option<i64> {
    match call.argument("units")?.value.value {
        Value::Int(units) => Some(units),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.Dense(8, 'relu'), L.Dense(1)"),
            layers("L.Dense(64, 'relu'), L.Dense(4), L.Dense(64, 'relu'), L.Dense(1)"),
            layers("L.Dense(8, 'relu'), L.Dense(8), L.Activation('relu'), L.Dense(1)"),
            layers("L.Dense(8, 'relu'), L.Dense(n), L.Dense(1)"),
        ];
        let fail = [(
            layers("L.Dense(8, 'relu'), L.Dense(16), L.Dropout(0.2), L.Dense(1)"),
            "L.Dense(16)",
        )];
        let fix = [(
            layers("L.Dense(8, 'relu'), L.Dense(16), L.Dense(1)"),
            layers("L.Dense(8, 'relu'), L.Dense(16, activation='relu'), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
