//! # shared-optimizer (DL310)
//!
//! ## What it does
//! Finds one optimizer object that is given to several models that are trained.
//!
//! ## Why it matters
//! An optimizer of Keras 3 belongs to the variables of the first model it trains. Training the second raises
//! `ValueError: Unknown variable`. Keras 2 allowed it.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! optimizer = keras.optimizers.Adam()
//! a = keras.Sequential([layers.Dense(1)])
//! a.compile(optimizer=optimizer, loss="mse")
//! a.fit(x, y)
//! b = keras.Sequential([layers.Dense(1)])
//! b.compile(optimizer=optimizer, loss="mse")
//! b.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! a = keras.Sequential([layers.Dense(1)])
//! a.compile(optimizer=keras.optimizers.Adam(), loss="mse")
//! a.fit(x, y)
//! b = keras.Sequential([layers.Dense(1)])
//! b.compile(optimizer=keras.optimizers.Adam(), loss="mse")
//! b.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix: it takes a new object for each model.
//!
//! ## References
//! - Measured on Keras 3.15.1: "Unknown variable … This optimizer can only be called for the variables it was
//!   originally built with"

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{CallId, ModelId, Value};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL310",
    name: "shared-optimizer",
    kind: Kind::Optimizer,
    severity: Severity::Error,
    source: include_str!("shared_optimizer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    if program.legacy_keras {
        return Vec::new();
    }
    let mut owners: Vec<(CallId, ModelId)> = Vec::new();
    let mut findings = Vec::new();
    for fit in &program.fits {
        let (Some(model), Some(compile)) = (fit.model, fit.compile) else {
            continue;
        };
        let Some(argument) = program.call(compile).argument("optimizer") else {
            continue;
        };
        // An object made in the call itself is this model's own.
        let shareable = argument.value.origin != argument.value.range;
        let Value::Call(optimizer) = argument.value.value else {
            continue;
        };
        match owners.iter().find(|(other, _)| *other == optimizer) {
            Some((_, owner)) if *owner != model && shareable => findings.push(context.dated(Finding {
                confidence: 0.9,
                ..context.finding(
                    &INFO,
                    argument.value.range,
                    "this optimizer already belongs to another model that is trained; Keras 3 raises an exception when it \
                     meets variables of a second one. Make an optimizer for each model",
                )
            })),
            Some(_) => {}
            None => owners.push((optimizer, model)),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\no = keras.optimizers.Adam()\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(o, 'mse')\nm.fit(x, y)\nm.fit(x, y)".to_owned(), "import keras\no = keras.optimizers.Adam()\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(o, 'mse')\nm.fit(x, y)\nn = keras.Sequential([keras.layers.Dense(1)])\nn.compile(o, 'mse')\nn.evaluate(x, y)".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y)\nn = keras.Sequential([keras.layers.Dense(1)])\nn.compile('adam', 'mse')\nn.fit(x, y)".to_owned()];
        let fail = [("import keras\nopt = keras.optimizers.Adam()\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(opt, 'mse')\nn = keras.Sequential([keras.layers.Dense(1)])\nn.compile(optimizer=opt, loss='mse')\nm.fit(x, y)\nn.fit(x, y)".to_owned(), "opt")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
