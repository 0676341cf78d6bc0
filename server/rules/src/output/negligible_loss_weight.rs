//! # negligible-loss-weight (DL117)
//!
//! ## What it does
//! Finds a weight in `loss_weights` that is a ten-thousandth of the largest or less, and not 0.
//!
//! ## Why it matters
//! The losses of all outputs are added up with these weights. What one output asks for then moves the weights of the
//! network by a ten-thousandth of what another asks for: its own layers get next to no gradient (unless the optimizer
//! scales it up again, as Adam does), and the layers that all outputs share follow the others.
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Model(inputs, [score, passed])
//! model.compile(optimizer="sgd", loss=["mse", "binary_crossentropy"], loss_weights=[1.0, 1e-6])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! model = keras.Model(inputs, [score, passed])
//! model.compile(optimizer="sgd", loss=["mse", "binary_crossentropy"], loss_weights=[1.0, 0.5])
//! ```
//!
//! ## Fix safety
//! No fix: the right weight depends on the sizes of the losses.
//!
//! ## References
//! - `keras.Model.compile`

use crate::context::{Context, number};
use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Expr, Value};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL117",
    name: "negligible-loss-weight",
    kind: Kind::Loss,
    severity: Severity::Information,
    source: include_str!("negligible_loss_weight.rs"),
};

/// Share of the largest weight that counts as nothing.
const NEGLIGIBLE: f64 = 1e-4;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for compile in context.plain_compiles() {
        let Some(argument) = compile.argument("loss_weights") else {
            continue;
        };
        let written: Vec<&Expr> = match &argument.value.value {
            Value::List(list) => list.iter().collect(),
            Value::Dict(entries) => entries.iter().map(|(_, weight)| weight).collect(),
            _ => continue,
        };
        let Some(weights) = written
            .into_iter()
            .map(|weight| Some((weight, number(&weight.value)?.abs())))
            .collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        let largest = weights.iter().map(|(_, weight)| *weight).fold(0.0_f64, f64::max);
        for (expr, weight) in weights {
            if weight == 0.0 || weight > largest * NEGLIGIBLE {
                continue;
            }
            let message = format!(
                "the loss of this output counts {weight:e} against {largest} for another one, so this output is practically not \
                 trained, unless its loss is larger by as much; give it a weight of the same order"
            );
            findings.push(Finding {
                confidence: 0.75,
                ..context.finding(&INFO, expr.range, message)
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(weights: &str) -> String {
        format!(
            "import keras\ni = keras.Input((4,))\na = keras.layers.Dense(1, name='a')(i)\nb = keras.layers.Dense(1, name='b')(i)\n\
             m = keras.Model(i, [a, b])\nm.compile('adam', ['mse', 'mse'], loss_weights={weights})\n"
        )
    }

    #[test]
    fn tables() {
        let pass = [
            script("[1.0, 0.5]"),
            script("[1.0, 0]"),
            script("[1.0, 1e-3]"),
            script("[1.0, w]"),
            script("[1e-6, 1e-6]"),
            script("weights"),
        ];
        let fail = [
            (script("[1.0, 1e-6]"), "1e-6"),
            (script("{'a': 1e-4, 'b': 1}"), "1e-4"),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
