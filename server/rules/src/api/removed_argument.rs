//! # removed-argument (DL001)
//!
//! ## What it does
//! Finds arguments of layers, optimizers, `compile`, `fit` and callbacks that Keras 3 no longer takes.
//!
//! ## Why it matters
//! Keras 3 refuses most of them with an exception when the line is reached, which may be long after the start.
//! The optimizers' `decay` is worse: it is ignored with a warning, so the learning rate stays where it was.
//! `epsilon` of `ReduceLROnPlateau` is ignored without a word; `alpha` of `LeakyReLU` still does what it did, with a
//! warning: information.
//! An error where the script is certainly written for Keras 3 (it uses `keras.ops`, `keras.random`, a JAX or PyTorch
//! backend, …); else information, since the script may well run on the Keras it was written for.
//! Scripts that import `tf_keras` or set `TF_USE_LEGACY_KERAS` run on Keras 2 and are left alone.
//!
//! ## Example
//! ```python
//! import keras
//! optimizer = keras.optimizers.SGD(lr=0.01)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! optimizer = keras.optimizers.SGD(learning_rate=0.01)
//! ```
//!
//! ## Fix safety
//! Safe where the argument only has a new name and every value keeps its meaning. There is no fix where the new
//! argument counts something else (`samples_per_epoch`) or nothing takes its place.
//!
//! ## References
//! - `grammars/removed-arguments.toml`; every row was tried on Keras 3.15.1
//! - [Migrating Keras 2 code to Keras 3](https://keras.io/guides/migrating_to_keras_3/)

use std::sync::LazyLock;

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Call;
use serde::Deserialize;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL001",
    name: "removed-argument",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("removed_argument.rs"),
};

#[derive(Debug, Deserialize)]
struct Removed {
    callees: Vec<String>,
    name: String,
    replacement: Option<String>,
    raises: bool,
    /// Whether it still does what it did, with a warning.
    #[serde(default)]
    works: bool,
    safe: bool,
    advice: String,
}

impl Removed {
    fn concerns(&self, call: &Call) -> bool {
        self.callees.iter().any(|callee| match callee.strip_suffix('*') {
            // `keras.optimizers.*` does not reach into `keras.optimizers.legacy`.
            Some(prefix) => call
                .callee
                .strip_prefix(prefix)
                .is_some_and(|rest| !rest.contains('.')),
            None => call.callee == *callee,
        })
    }
}

#[derive(Default, Deserialize)]
struct Table {
    argument: Vec<Removed>,
}

const TABLE: &str = include_str!("../../../../grammars/removed-arguments.toml");

static REMOVED: LazyLock<Table> = LazyLock::new(|| toml::from_str(TABLE).unwrap_or_default());

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if context.program.legacy_keras {
        return Vec::new();
    }
    context
        .program
        .calls
        .iter()
        .flat_map(|call| of_call(context, call))
        .map(|finding| context.dated(finding))
        .collect()
}

fn of_call(context: &Context<'_>, call: &Call) -> Vec<Finding> {
    let mut findings = Vec::new();
    for argument in &call.arguments {
        let (Some(name), Some(range)) = (&argument.name, argument.name_range) else {
            continue;
        };
        let Some(removed) = REMOVED
            .argument
            .iter()
            .find(|removed| removed.name == *name && removed.concerns(call))
        else {
            continue;
        };
        let class = call.class();
        let consequence = if removed.works {
            format!("`{name}` of `{class}` has another name now; Keras 3 warns and may refuse it one day")
        } else if removed.raises {
            format!("Keras 3 has no argument `{name}` here, so this call of `{class}` raises an exception")
        } else {
            format!("Keras 3 ignores the argument `{name}` of `{class}`, so it has no effect")
        };
        let mut finding = context.finding(&INFO, range, format!("{consequence}; {}", removed.advice));
        finding.confidence = 0.95;
        if removed.works {
            finding.severity = Severity::Information;
        } else if !removed.raises {
            finding.severity = Severity::Warning;
        }
        if let Some(replacement) = &removed.replacement
            && call.argument(replacement).is_none()
        {
            let applicability = if removed.safe {
                Applicability::Safe
            } else {
                Applicability::Unsafe
            };
            finding.fixes.push(context.fix(
                format!("Rename to `{replacement}`"),
                applicability,
                range,
                replacement,
            ));
        }
        findings.push(finding);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads() {
        let table: Table = toml::from_str(TABLE).expect("grammars/removed-arguments.toml is valid");
        assert!(table.argument.len() > 30);
    }

    #[test]
    fn tables() {
        crate::testing::check(
            &INFO,
            &[
                "import keras\nkeras.optimizers.SGD(learning_rate=0.1)",
                "import tf_keras as keras\nkeras.optimizers.SGD(lr=0.1)",
                "import os\nos.environ['TF_USE_LEGACY_KERAS'] = '1'\nimport keras\nkeras.optimizers.SGD(lr=0.1)",
                "import tensorflow as tf\ntf.keras.optimizers.legacy.SGD(lr=0.1)",
                "from torch.optim import SGD\nSGD(lr=0.1)",
                "import keras\nkeras.layers.Dense(1, input_dim=3)",
                "import keras\nkeras.layers.Dense(1, input_shape=(3,))",
            ],
            &[
                ("import keras\nkeras.optimizers.SGD(lr=0.1)", "lr"),
                (
                    "from keras.optimizers import Adam\nAdam(0.001, decay=1e-6)",
                    "decay",
                ),
                ("from keras.layers import Dense\nDense(4, init='uniform')", "init"),
                (
                    "from keras.layers import Convolution2D as C\nC(4, 3, border_mode='same')",
                    "border_mode",
                ),
                (
                    "import keras\nm = keras.Sequential()\nm.compile('sgd', 'mse')\nm.fit(x, y, nb_epoch=3)",
                    "nb_epoch",
                ),
                ("import keras\nself.model.fit(x, y, nb_epoch=3)", "nb_epoch"),
                (
                    "import keras\nm = keras.Sequential()\nm.compile('sgd', 'mse')\nm.fit(x, y, workers=3)",
                    "workers",
                ),
                (
                    "from keras.utils import to_categorical\nto_categorical(y, nb_classes=3)",
                    "nb_classes",
                ),
            ],
            &[
                (
                    "import keras\nkeras.optimizers.SGD(lr=0.1)",
                    "import keras\nkeras.optimizers.SGD(learning_rate=0.1)",
                ),
                (
                    "import keras\nm = keras.Sequential()\nm.compile('sgd', 'mse')\nm.fit(x, y, nb_epoch=3)",
                    "import keras\nm = keras.Sequential()\nm.compile('sgd', 'mse')\nm.fit(x, y, epochs=3)",
                ),
            ],
        );
    }
}
