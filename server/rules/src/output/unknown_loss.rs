//! # unknown-loss (DL110)
//!
//! ## What it does
//! Finds losses given as a string that Keras does not know.
//!
//! ## Why it matters
//! `compile` does not look at the name; the exception comes with the first batch. Names that Keras 2 knew and Keras 3
//! does not (`cosine_proximity`, `logcosh`) end the same way.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(3, activation="softmax")])
//! model.compile(optimizer="adam", loss="catagorical_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(3, activation="softmax")])
//! model.compile(optimizer="adam", loss="categorical_crossentropy")
//! ```
//!
//! ## Fix safety
//! Safe where a known name is near enough to be what was meant; otherwise there is no fix.
//!
//! ## References
//! - `keras/src/losses/__init__.py` of Keras 3.15.1; `grammars/identifiers.toml`

use crate::context::Context;
use crate::read::Family;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL110",
    name: "unknown-loss",
    kind: Kind::Loss,
    severity: Severity::Error,
    source: include_str!("unknown_loss.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    context
        .plain_compiles()
        .filter_map(|compile| {
            let loss = compile.argument("loss")?;
            context.unknown_name(&INFO, Family::Loss, &loss.value, "loss")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::model;

    #[test]
    fn tables() {
        let pass = [model("L.Dense(3, 'softmax')", "'categorical_crossentropy'"), model("L.Dense(1)", "'mse'"), model("L.Dense(1)", "name"), model("L.Dense(1)", "my_loss"), "import tf_keras as keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'logcosh')".to_owned()];
        let fail = [
            (
                model("L.Dense(3, 'softmax')", "'categorical_cross_entropy'"),
                "'categorical_cross_entropy'",
            ),
            (model("L.Dense(1)", "loss='logcosh'"), "'logcosh'"),
            (model("L.Dense(1)", "loss='quantile'"), "'quantile'"),
        ];
        let fix = [(
            model("L.Dense(1)", "loss='logcosh'"),
            model("L.Dense(1)", "loss='log_cosh'"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
