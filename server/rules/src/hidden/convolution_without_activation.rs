//! # convolution-without-activation (DL205)
//!
//! ## What it does
//! Finds a convolution without activation that feeds another convolution directly.
//!
//! ## Why it matters
//! Two convolutions in a row without an activation between them are one convolution with a larger kernel: more weights,
//! no more power.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Conv2D(32, 3), layers.Conv2D(32, 3, activation="relu")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu")])
//! ```
//!
//! ## Fix safety
//! Unsafe: relu is the usual choice, not the only one.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use crate::context::Context;
use crate::read::{Head, is_convolution};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL205",
    name: "convolution-without-activation",
    kind: Kind::HiddenActivation,
    severity: Severity::Information,
    source: include_str!("convolution_without_activation.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, call) in chain.layers.iter().enumerate() {
            let next = chain.working_from(index + 1).next();
            if !is_convolution(call.class()) || !next.is_some_and(|next| is_convolution(next.class())) {
                continue;
            }
            let Some(head) = Head::of_layer(context.program, call).filter(|head| head.activation == "linear")
            else {
                continue;
            };
            let message = "this convolution has no activation, so it and the next one amount to a single convolution; \
                           give it `activation=\"relu\"`";
            let edit = context.activation_edit(&head, "relu");
            let fix = edit.map(|edit| context.fix_all("Use relu", Applicability::Unsafe, vec![edit]));
            findings.push(Finding {
                layer: context.layer(chain.model, chain.position(index)),
                confidence: 0.65,
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, call.range, message)
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
            layers("L.Conv2D(8, 3, activation='relu'), L.Conv2D(8, 3, activation='relu')"),
            layers("L.Conv2D(8, 3), L.BatchNormalization(), L.ReLU(), L.Conv2D(8, 3)"),
            layers("L.Conv2D(8, 3, **o), L.Conv2D(8, 3)"),
        ];
        let fail = [(
            layers("L.Conv2D(8, 3), L.Conv2D(8, 3, activation='relu')"),
            "L.Conv2D(8, 3)",
        )];
        let fix = [(
            layers("L.Conv2D(8, 3), L.Conv2D(8, 3, activation='relu')"),
            layers("L.Conv2D(8, 3, activation='relu'), L.Conv2D(8, 3, activation='relu')"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
