//! # private-keras (DL004)
//!
//! ## What it does
//! Finds imports from `tensorflow.python.keras`.
//!
//! ## Why it matters
//! That is a private copy of an old Keras which TensorFlow keeps for itself. With the TensorFlow that comes with Keras 3
//! its `fit` raises an exception (`input_lib` has no attribute `DistributedDatasetInterface`), and its layers and
//! those of `tensorflow.keras` refuse one another.
//! Information in scripts that are not certainly written for Keras 3: with the TensorFlow of their time they train.
//!
//! ## Example
//! ```python
//! from tensorflow.python.keras.layers import Dense
//! layer = Dense(10)
//! ```
//!
//! ## Use instead
//! ```python
//! from tensorflow.keras.layers import Dense
//! layer = Dense(10)
//! ```
//!
//! ## Fix safety
//! Unsafe: what is imported from there has to be imported from the public package everywhere in the project.
//!
//! ## References
//! - Measured on TensorFlow 2.21

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Import;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL004",
    name: "private-keras",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("private_keras.rs"),
};

const PRIVATE: &str = "tensorflow.python.keras";

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let imports = context.program.imports.iter();
    imports.filter_map(|import| of_import(context, import)).collect()
}

fn of_import(context: &Context<'_>, import: &Import) -> Option<Finding> {
    let inside = import
        .module
        .strip_prefix(PRIVATE)
        .filter(|rest| rest.is_empty() || rest.starts_with('.'));
    let whole = import.module == "tensorflow.python" && import.name.as_deref() == Some("keras");
    let range = match (inside, whole) {
        (Some(_), _) => import.module_range,
        (None, true) => import.name_range,
        (None, false) => return None,
    };
    let fix = inside
        .filter(|_| import.module_range.slice(context.text) == import.module)
        .and_then(public)
        .map(|public| {
            let public = format!("tensorflow.keras{public}");
            context.fix(
                format!("Import from `{public}`"),
                Applicability::Unsafe,
                import.module_range,
                public,
            )
        });
    let message = "`tensorflow.python.keras` is TensorFlow's private copy of an old Keras: with the TensorFlow that comes with Keras 3 it no \
                   longer trains (`fit` raises an exception); import from `tensorflow.keras`";
    let finding = Finding {
        confidence: 0.95,
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, range, message)
    };
    Some(context.dated(finding))
}

/// `.layers.core` → `.layers`: the modules below are an implementation detail. `None` where no public module is known.
fn public(rest: &str) -> Option<String> {
    const FLAT: [&str; 8] = [
        "layers",
        "losses",
        "metrics",
        "activations",
        "initializers",
        "regularizers",
        "callbacks",
        "optimizers",
    ];
    const WHOLE: [&str; 13] = [
        "",
        ".models",
        ".utils",
        ".backend",
        ".constraints",
        ".datasets",
        ".datasets.mnist",
        ".datasets.cifar10",
        ".applications",
        ".preprocessing",
        ".preprocessing.image",
        ".preprocessing.sequence",
        ".preprocessing.text",
    ];
    const HELPERS: [&str; 2] = [".utils.np_utils", ".utils.vis_utils"];
    let module = rest.split('.').nth(1).unwrap_or_default();
    if FLAT.contains(&module) {
        Some(format!(".{module}"))
    } else if HELPERS.contains(&rest) {
        Some(".utils".to_owned())
    } else {
        WHOLE.contains(&rest).then(|| rest.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = [
            "from tensorflow.keras.layers import Dense",
            "from tensorflow.python.client import device_lib",
            "import tensorflow.python.kerasium",
        ];
        let fail = [
            (
                "from tensorflow.python.keras import layers",
                "tensorflow.python.keras",
            ),
            (
                "import tensorflow.python.keras.backend as K",
                "tensorflow.python.keras.backend",
            ),
            ("from tensorflow.python import keras", "keras"),
        ];
        let fix = [
            (
                "from tensorflow.python.keras.layers.core import Dense",
                "from tensorflow.keras.layers import Dense",
            ),
            (
                "from tensorflow.python.keras.utils.np_utils import to_categorical",
                "from tensorflow.keras.utils import to_categorical",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }

    #[test]
    fn no_module_is_made_up() {
        for (rest, expected) in [
            ("", Some("")),
            (".preprocessing.image", Some(".preprocessing.image")),
            (".engine.training", None),
            (".utils.generic_utils", None),
            (".wrappers.scikit_learn", None),
        ] {
            assert_eq!(public(rest).as_deref(), expected, "{rest}");
        }
    }
}
