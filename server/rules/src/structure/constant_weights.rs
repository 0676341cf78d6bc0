//! # constant-weights (DL611)
//!
//! ## What it does
//! Finds hidden layers whose weights start from a constant (`zeros`, `ones`, `Constant`).
//!
//! ## Why it matters
//! Units that start equal compute the same, and their gradients differ only by what the layers behind them make of it:
//! the layer acts as if it had far fewer units. Zeros before a relu are worse (an error): no signal and no gradient
//! pass, so the layer never changes. On the output layer a constant start is common and not reported.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(64, activation="tanh", kernel_initializer="ones"), layers.Dense(1)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(64, activation="tanh"), layers.Dense(1)])
//! ```
//!
//! ## Fix safety
//! Unsafe: Keras' default, glorot_uniform, is put in.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022 (constant weight initialisation)
//! - Goodfellow, Bengio, Courville: Deep Learning, section 8.4

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Expr, Program, Value};

use crate::context::Context;
use crate::read::{Head, has_units};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL611",
    name: "constant-weights",
    kind: Kind::WeightInit,
    severity: Severity::Warning,
    source: include_str!("constant_weights.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, call) in chain.layers.iter().enumerate() {
            let hidden = chain.layers.iter().skip(index + 1).any(|next| has_units(next));
            let Some(argument) = call
                .argument("kernel_initializer")
                .filter(|_| hidden && has_units(call))
            else {
                continue;
            };
            let Some(zero) = constant(context.program, &argument.value) else {
                continue;
            };
            let head = Head::of_layer(context.program, call);
            if head.as_ref().is_some_and(|head| head.units == Some(1)) {
                continue;
            }
            let dead = zero
                && call.class() == "Dense"
                && call.argument("bias_initializer").is_none()
                && head.is_some_and(|head| head.activation == "relu");
            let message = if dead {
                "with weights of zero every unit gives relu(0) = 0 and has no gradient, so this layer never learns anything and \
                 nothing passes it; leave `kernel_initializer` at its default"
            } else {
                "all units of this layer start equal and compute the same, so it acts as if it had far fewer of them; leave \
                 `kernel_initializer` at its default"
            };
            let fix = context.fix(
                "Start from random weights",
                Applicability::Unsafe,
                argument.value.range,
                context.quoted("glorot_uniform"),
            );
            findings.push(Finding {
                severity: if dead { Severity::Error } else { Severity::Warning },
                confidence: if dead { 0.97 } else { 0.88 },
                layer: context.layer(chain.model, chain.position(index)),
                fixes: vec![fix],
                ..context.finding(&INFO, argument.value.range, message)
            });
        }
    }
    findings
}

/// Whether an initializer gives a constant; and whether that is zero.
fn constant(program: &Program, initializer: &Expr) -> Option<bool> {
    let name = match &initializer.value {
        Value::Str(name) => name.clone(),
        Value::Reference(name) => name.strip_prefix("keras.initializers.")?.to_owned(),
        Value::Call(call) => {
            let call = program.call(*call);
            let class = call.callee.strip_prefix("keras.initializers.")?;
            if class == "Constant" {
                let zero = match call.argument("value").map(|value| &value.value.value) {
                    None => call.arguments.is_empty(),
                    Some(Value::Int(value)) => *value == 0,
                    Some(Value::Float(value)) => *value == 0.0,
                    Some(_) => return None,
                };
                return Some(zero);
            }
            class.to_owned()
        }
        _ => return None,
    };
    match name.to_ascii_lowercase().as_str() {
        "zeros" | "zero" | "constant" => Some(true),
        "ones" | "one" => Some(false),
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
            layers("L.Dense(8, 'relu'), L.Dense(1, kernel_initializer='zeros')"),
            layers("L.Dense(8, 'relu', kernel_initializer='he_normal'), L.Dense(1)"),
            layers("L.Dense(8, 'relu', kernel_initializer=init), L.Dense(1)"),
            layers("L.Dense(8, 'relu', bias_initializer='zeros'), L.Dense(1)"),
        ];
        let fail = [
            (
                layers("L.Dense(8, 'relu', kernel_initializer='zeros'), L.Dense(1)"),
                "'zeros'",
            ),
            (
                layers("L.Dense(8, 'tanh', kernel_initializer=keras.initializers.Constant(0.5)), L.Dense(1)"),
                "keras.initializers.Constant(0.5)",
            ),
        ];
        let fix = [(
            layers("L.Dense(8, 'tanh', kernel_initializer='ones'), L.Dense(1)"),
            layers("L.Dense(8, 'tanh', kernel_initializer='glorot_uniform'), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
