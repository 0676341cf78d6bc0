//! # poisson-of-negative-output (DL111)
//!
//! ## What it does
//! Finds models with the Poisson loss whose output can be negative.
//!
//! ## Why it matters
//! The Poisson loss takes the logarithm of the prediction, which is a rate. A linear or tanh output starts below zero
//! for about half of the samples, and the loss is NaN from the first batch on.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="poisson")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1, activation="exponential")])
//! model.compile(optimizer="adam", loss="poisson")
//! ```
//!
//! ## Fix safety
//! Unsafe: softplus keeps the output positive too, and which of the two fits is a matter of the data.
//!
//! ## References
//! - `keras.losses.poisson`: `mean(y_pred - y_true * log(y_pred + epsilon))`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Program, Value};

use crate::context::Context;
use crate::read::Head;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL111",
    name: "poisson-of-negative-output",
    kind: Kind::OutputActivation,
    severity: Severity::Warning,
    source: include_str!("poisson_of_negative_output.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    let mut findings = Vec::new();
    for compile in &program.compiles {
        let Some(model) = compile.model.and_then(|model| program.model(model)) else {
            continue;
        };
        let poisson = program
            .call(compile.call)
            .argument("loss")
            .is_some_and(|loss| is_poisson(program, &loss.value.value));
        let Some(head) = Head::of(program, model).filter(|_| poisson) else {
            continue;
        };
        if !matches!(head.activation, "linear" | "tanh") {
            continue;
        }
        let message = "the Poisson loss takes the logarithm of the prediction, but this output can be negative, which \
                       makes the loss NaN; use an exponential or softplus output";
        let edit = context.activation_edit(&head, "exponential");
        let fix =
            edit.map(|edit| context.fix_all("Use an exponential output", Applicability::Unsafe, vec![edit]));
        findings.push(Finding {
            layer: context.layer(model, head.position),
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, head.range(), message)
        });
    }
    findings
}

fn is_poisson(program: &Program, loss: &Value) -> bool {
    match loss {
        Value::Str(name) => matches!(name.as_str(), "poisson" | "Poisson"),
        Value::Reference(name) => matches!(name.as_str(), "keras.losses.poisson" | "keras.losses.Poisson"),
        Value::Call(call) => program.call(*call).callee == "keras.losses.Poisson",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [
            model("L.Dense(1, 'softplus')", "'poisson'"),
            model("L.Dense(1, 'relu')", "'poisson'"),
            model("L.Dense(1, activation=f)", "'poisson'"),
            model("L.Dense(1)", "'mse'"),
        ];
        let fail = [
            (model("L.Dense(1)", "'poisson'"), "L.Dense(1)"),
            (model("L.Dense(1, 'tanh')", "keras.losses.Poisson()"), "'tanh'"),
        ];
        let fix = [(
            model("L.Dense(1)", "'poisson'"),
            model("L.Dense(1, activation='exponential')", "'poisson'"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
