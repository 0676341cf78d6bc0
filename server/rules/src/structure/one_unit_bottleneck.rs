//! # one-unit-bottleneck (DL616)
//!
//! ## What it does
//! Finds hidden Dense layers with a single unit.
//!
//! ## Why it matters
//! Everything the network knows about a sample has to pass through one number. Usually it is an output layer that was
//! left in the middle. Autoencoders, those that are fitted to their own input, have a narrow layer on purpose, but from
//! one number they rebuild many columns only where those all depend on one thing.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(1, activation="relu"), layers.Dense(10, activation="softmax")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(16, activation="relu"), layers.Dense(10, activation="softmax")])
//! ```
//!
//! ## Fix safety
//! No fix: how many units are enough is for the author.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Model, Value};

use crate::context::Context;
use crate::read::Head;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL616",
    name: "one-unit-bottleneck",
    kind: Kind::LayerSize,
    severity: Severity::Information,
    source: include_str!("one_unit_bottleneck.rs"),
};

/// Columns that one number may still stand for.
const FEW_COLUMNS: u64 = 4;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, call) in chain.layers.iter().enumerate() {
            let next = chain.working_from(index + 1).next();
            let both = call.class() == "Dense" && next.is_some_and(|next| next.class() == "Dense");
            let Some(units) = call.argument("units").filter(|_| both) else {
                continue;
            };
            // With softmax it is wrong for a reason that has its own rule.
            let softmax = Head::of_layer(program, call).is_some_and(|head| head.activation == "softmax");
            if units.value.value != Value::Int(1) || softmax {
                continue;
            }
            let judged = if reconstructs(context) {
                code(columns(context, chain.model))
            } else {
                let message = "all the network knows of a sample has to pass through this one unit; give the hidden layer more \
                               units, or take it out if it was the output once";
                Some((INFO.severity, 0.7, message.to_owned()))
            };
            let Some((severity, confidence, message)) = judged else {
                continue;
            };
            findings.push(Finding {
                severity,
                confidence,
                layer: context.layer(chain.model, chain.position(index)),
                ..context.finding(&INFO, units.value.range, message)
            });
        }
    }
    findings
}

/// What to say of an autoencoder whose code is one number, by the columns of its input.
fn code(columns: Option<u64>) -> Option<(Severity, f64, String)> {
    let (severity, confidence, input) = match columns {
        Some(columns) if columns <= FEW_COLUMNS => return None,
        Some(columns) => (Severity::Warning, 0.8, format!("{columns} columns")),
        None => (Severity::Information, 0.6, "its input".to_owned()),
    };
    let message = format!(
        "the model has to rebuild {input} from this one number per sample, so it follows the samples along a single line and \
         misses how they differ otherwise; give the code more units"
    );
    Some((severity, confidence, message))
}

/// Whether a model is trained to give back its input.
fn reconstructs(context: &Context<'_>) -> bool {
    context.trainings.iter().any(|training| {
        let text = |name| {
            training
                .fit
                .argument(name)
                .map(|argument| argument.value.range.slice(context.text))
        };
        text("x").is_some() && text("x") == text("y")
    })
}

/// How many columns the input of a model has, where that is written.
fn columns(context: &Context<'_>, model: &Model) -> Option<u64> {
    let first = context.program.shapes().into_iter().find(|shape| {
        shape.layer == 0
            && context
                .program
                .model(shape.model)
                .is_some_and(|other| std::ptr::eq(other, model))
    })?;
    first.input?.0.last().copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.Dense(8, 'relu'), L.Dense(1)"),
            layers("L.Dense(n, 'relu'), L.Dense(1)"),
            layers("L.Dense(2, 'relu'), L.Dense(8)"),
        ];
        let fail = [(layers("L.Dense(8, 'relu'), L.Dense(1, 'relu'), L.Dense(3)"), "1")];
        crate::testing::check(&INFO, &pass, &fail, &[]);

        let rebuilding = |input: &str, units: i64| {
            format!(
                "import keras\nfrom keras import layers as L\nn = x.shape[1]\ncode = {units}\nm = keras.Sequential([{input}L.Dense(16, 'relu'), \
                 L.Dense(code), L.Dense(16, 'relu'), L.Dense(n)])\nm.compile('adam', 'mse')\nm.fit(x, x)\n"
            )
        };
        let pass = [
            rebuilding("keras.Input((24,)), ", 2),
            rebuilding("keras.Input((3,)), ", 1),
        ];
        let fail = [rebuilding("keras.Input((n,)), ", 1)];
        crate::testing::check(&INFO, &pass, &fail.map(|text| (text, "code")), &[]);
        let text = rebuilding("keras.Input((24,)), ", 1);
        let program = program::Program::parse(&text);
        let found = check(&Context::new(&program, &text, std::path::Path::new("train.py")));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
    }
}
