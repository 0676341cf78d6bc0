//! # optimizer-class (DL303)
//!
//! ## What it does
//! Finds an optimizer that is given to `compile` as a class instead of an object (`optimizer=Adam`).
//!
//! ## Why it matters
//! `compile` takes a name or an object and raises `ValueError: Could not interpret optimizer identifier` for a class.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer=keras.optimizers.Adam, loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer=keras.optimizers.Adam(), loss="mse")
//! ```
//!
//! ## Fix safety
//! Safe: the object with default arguments is what was meant.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::{Value, parameters};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL303",
    name: "optimizer-class",
    kind: Kind::Optimizer,
    severity: Severity::Error,
    source: include_str!("optimizer_class.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for compile in context.plain_compiles() {
        let Some(argument) = compile.argument("optimizer") else {
            continue;
        };
        let Value::Reference(name) = &argument.value.value else {
            continue;
        };
        let is_class = name.starts_with("keras.optimizers.") && parameters(name).is_some();
        if !is_class {
            continue;
        }
        let class = name.trim_start_matches("keras.optimizers.");
        let message = format!(
            "`{class}` is the class, and `compile` only takes an optimizer object or a name, so it raises an exception; \
             write `{class}()`"
        );
        let end = argument.value.range.end;
        let fix = context.fix(
            "Make an object of it",
            Applicability::Safe,
            Range::new(end, end),
            "()",
        );
        findings.push(Finding {
            confidence: 0.95,
            fixes: vec![fix],
            ..context.finding(&INFO, argument.value.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["from keras.optimizers import Adam\nimport keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(Adam(), 'mse')".to_owned()];
        let fail = [("from keras.optimizers import Adam\nimport keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(Adam, 'mse')".to_owned(), "Adam")];
        let fix = [("from keras.optimizers import Adam\nimport keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(Adam, 'mse')".to_owned(), "from keras.optimizers import Adam\nimport keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(Adam(), 'mse')".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
