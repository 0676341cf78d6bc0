//! # fit-without-compile (DL505)
//!
//! ## What it does
//! Finds Sequential models that are fitted before they are compiled, or never compiled at all.
//!
//! ## Why it matters
//! `fit` needs the loss and the optimizer that `compile` sets, and raises `ValueError: You must call compile() before
//! using the model`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.fit(x, y)
//! model.compile(optimizer="adam", loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix: statements would have to be moved.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Finding, Kind, RuleInfo, Severity};
use program::ModelKind;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL505",
    name: "fit-without-compile",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("fit_without_compile.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    let at_margin = |offset: usize| {
        let line = context
            .text
            .get(..offset)
            .and_then(|before| before.rsplit('\n').next());
        line.is_some_and(|line| !line.starts_with([' ', '\t']))
    };
    let mut findings = Vec::new();
    for training in &context.trainings {
        let sequential = training
            .model
            .is_some_and(|model| matches!(model.kind, ModelKind::Sequential | ModelKind::Functional));
        if !sequential || training.compile.is_some() {
            continue;
        }
        let compiles: Vec<_> = program
            .compiles
            .iter()
            .filter(|compile| compile.model == training.record.model)
            .map(|compile| program.call(compile.call))
            .collect();
        // Something else may compile it; in functions and loops, what stands later may run first.
        let never = !context.text.contains("compile");
        let too_late = !compiles.is_empty()
            && compiles.iter().all(|compile| {
                compile.range.start > training.fit.range.end && at_margin(compile.range.start)
            })
            && at_margin(training.fit.range.start)
            && context.text.matches(".compile(").count() == compiles.len();
        if never || too_late {
            let when = if never {
                "is never compiled"
            } else {
                "is compiled only later"
            };
            let message = format!(
                "the model {when}, so `fit` raises an exception: it needs the loss and the optimizer from `compile`; call \
                 `compile` first"
            );
            findings.push(context.finding(&INFO, training.fit.callee_range, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y)".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\ncompile_it(m)\nm.fit(x, y)".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\ndef train():\n    m.fit(x, y)\nm.compile('adam', 'mse')\ntrain()".to_owned(), "import keras\nm = keras.models.load_model('m.keras')\nm.fit(x, y, epochs=3)".to_owned()];
        let fail = [("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.fit(x, y)".to_owned(), "m.fit"), ("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.fit(x, y)\nm.compile('adam', 'mse')".to_owned(), "m.fit")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
