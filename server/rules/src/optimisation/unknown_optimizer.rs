//! # unknown-optimizer (DL302)
//!
//! ## What it does
//! Finds optimizers given as a string that Keras does not know.
//!
//! ## Why it matters
//! `compile` raises `ValueError: Could not interpret optimizer identifier`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="addam", loss="mse")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! ```
//!
//! ## Fix safety
//! Safe where a known name is near enough to be what was meant; otherwise there is no fix.
//!
//! ## References
//! - `keras/src/optimizers/__init__.py` of Keras 3.15.1; `grammars/identifiers.toml`

use crate::context::Context;
use crate::read::Family;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL302",
    name: "unknown-optimizer",
    kind: Kind::Optimizer,
    severity: Severity::Error,
    source: include_str!("unknown_optimizer.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .plain_compiles()
        .filter_map(|compile| {
            let optimizer = compile.argument("optimizer")?;
            context.unknown_name(&INFO, Family::Optimizer, &optimizer.value, "optimizer")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = [
            "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('Adam', 'mse')"
                .to_owned(),
            "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(name, 'mse')".to_owned(),
        ];
        let fail = [("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adan', 'mse')".to_owned(), "'adan'"), ("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile(optimizer='newton', loss='mse')".to_owned(), "'newton'")];
        let fix = [(
            "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('rms_prop', 'mse')"
                .to_owned(),
            "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('rmsprop', 'mse')"
                .to_owned(),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
