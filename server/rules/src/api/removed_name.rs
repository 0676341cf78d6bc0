//! # removed-name (DL003)
//!
//! ## What it does
//! Finds modules, functions, layers and methods that Keras 3 no longer has: `keras.layers.core`, `np_utils`,
//! `fit_generator`, `predict_classes`, the functions of `keras.backend`, and so on.
//!
//! ## Why it matters
//! The import or the call raises an exception. Modules such as `keras.layers.convolutional` were always an
//! implementation detail; what was in them is in `keras.layers`. Some names are left in `tensorflow.keras`, and are
//! only reported where they come from `keras`.
//! An error where the script is certainly written for Keras 3 (it uses `keras.ops`, `keras.random`, a JAX or PyTorch
//! backend, …); else information, since the script may well run on the Keras it was written for.
//!
//! ## Example
//! ```python
//! from keras.layers.core import Dense
//! layer = Dense(10)
//! ```
//!
//! ## Use instead
//! ```python
//! from keras.layers import Dense
//! layer = Dense(10)
//! ```
//!
//! ## Fix safety
//! Safe where only the name has changed. There is no fix where the new function takes other arguments or nothing takes
//! its place.
//!
//! ## References
//! - `grammars/removed-names.toml`; every row was tried on Keras 3.15.1
//! - [Migrating Keras 2 code to Keras 3](https://keras.io/guides/migrating_to_keras_3/)

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use std::collections::BTreeMap;
use std::sync::LazyLock;

use program::{Call, Import};
use serde::Deserialize;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL003",
    name: "removed-name",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("removed_name.rs"),
};

#[derive(Clone, Debug, Deserialize)]
struct Removed {
    old: String,
    replacement: Option<String>,
    #[serde(default)]
    in_tf: bool,
    safe: bool,
    advice: String,
}

#[derive(Default, Deserialize)]
struct Backend {
    ops: String,
    gone: String,
}

#[derive(Default, Deserialize)]
struct Table {
    flattened: BTreeMap<String, String>,
    backend: Backend,
    name: Vec<Removed>,
}

const TABLE: &str = include_str!("../../../../grammars/removed-names.toml");

static REMOVED: LazyLock<BTreeMap<String, Removed>> =
    LazyLock::new(|| rows(toml::from_str(TABLE).unwrap_or_default()));

/// All rows by their old name.
fn rows(table: Table) -> BTreeMap<String, Removed> {
    let mut rows = table.name;
    for (parent, modules) in &table.flattened {
        rows.extend(modules.split_whitespace().map(|module| Removed {
            old: format!("{parent}.{module}"),
            replacement: Some(parent.clone()),
            in_tf: false,
            safe: true,
            advice: format!("what was in it is in `{parent}`"),
        }));
    }
    let functions = table.backend.ops.split_whitespace().map(|name| (name, true));
    let gone = table.backend.gone.split_whitespace().map(|name| (name, false));
    rows.extend(functions.chain(gone).map(|(name, in_ops)| Removed {
        old: format!("backend.{name}"),
        replacement: None,
        in_tf: in_ops,
        safe: false,
        advice: if in_ops {
            format!("use `keras.ops.{name}`")
        } else {
            "nothing takes its place".to_owned()
        },
    }));
    rows.into_iter().map(|row| (row.old.clone(), row)).collect()
}

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    // Keras' own modules have what its public ones have not.
    let internal = |import: &Import| import.module == "keras.src" || import.module.starts_with("keras.src.");
    if context.program.legacy_keras || context.program.imports.iter().any(internal) {
        return Vec::new();
    }
    let imports = context
        .program
        .imports
        .iter()
        .filter_map(|import| of_import(context, import));
    let calls = context
        .program
        .calls
        .iter()
        .filter_map(|call| of_call(context, call));
    imports
        .chain(calls)
        .map(|finding| context.dated(finding))
        .collect()
}

/// The package a dotted name begins with, and what follows it.
fn inside(path: &str) -> Option<(&'static str, &str)> {
    ["tensorflow.keras", "keras"].into_iter().find_map(|package| {
        let rest = path.strip_prefix(package)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| (package, rest.trim_start_matches('.')))
    })
}

fn row(package: &str, name: &str) -> Option<&'static Removed> {
    REMOVED
        .get(name)
        .filter(|row| !(row.in_tf && package.starts_with("tensorflow")))
}

fn of_import(context: &Context<'_>, import: &Import) -> Option<Finding> {
    let (package, module) = inside(&import.module)?;
    if let Some(removed) = row(package, module) {
        let new = removed.replacement.as_ref().filter(|_| import.name.is_some());
        let fix = new.map(|new| (import.module_range, format!("{package}.{new}")));
        return Some(finding(context, removed, import.module_range, fix));
    }
    let name = import.name.as_ref()?;
    let full = if module.is_empty() {
        name.clone()
    } else {
        format!("{module}.{name}")
    };
    let removed = row(package, &full)?;
    let new = removed.replacement.as_ref().zip(import.bound.as_ref());
    let fix = new.and_then(|(new, bound)| {
        let (parent, last) = new
            .rsplit_once('.')
            .map_or((String::new(), new.as_str()), |(parent, last)| {
                (format!(".{parent}"), last)
            });
        if import.alone {
            // `from keras.utils import np_utils` → `from keras import utils as np_utils`
            let text = format!("from {package}{parent} import {last} as {bound}");
            return Some((import.statement, text));
        }
        // Beside others, only what stays in its module: `CuDNNLSTM` → `LSTM as CuDNNLSTM`
        let has_alias = bound != name;
        let text = if has_alias {
            last.to_owned()
        } else {
            format!("{last} as {bound}")
        };
        (import.module == format!("{package}{parent}")).then_some((import.name_range, text))
    });
    Some(finding(context, removed, import.name_range, fix))
}

fn of_call(context: &Context<'_>, call: &Call) -> Option<Finding> {
    let written = call.callee_range.slice(context.text);
    if let Some(method) = call.callee.strip_prefix("Model.") {
        let removed = REMOVED.get(&call.callee)?;
        let new = removed.replacement.as_ref().filter(|_| written.ends_with(method));
        let start = call.callee_range.end - method.len().min(call.callee_range.len());
        let range = Range::new(start, call.callee_range.end);
        return Some(finding(
            context,
            removed,
            range,
            new.map(|new| (range, new.clone())),
        ));
    }
    // What is imported by its own name is reported at the import.
    let first = written.split('.').next().filter(|first| *first != written)?;
    let import = context
        .program
        .imports
        .iter()
        .find(|import| import.bound.as_deref() == Some(first))?;
    let package = if import.module.starts_with("tensorflow") {
        "tensorflow.keras"
    } else {
        "keras"
    };
    let removed = row(package, call.callee.strip_prefix("keras.")?)?;
    let last = removed
        .replacement
        .as_ref()
        .and_then(|new| new.rsplit('.').next());
    let range = Range::new(
        call.callee_range.start + written.rfind('.').map_or(0, |dot| dot + 1),
        call.callee_range.end,
    );
    Some(finding(
        context,
        removed,
        range,
        last.map(|new| (range, new.to_owned())),
    ))
}

fn finding(context: &Context<'_>, removed: &Removed, range: Range, fix: Option<(Range, String)>) -> Finding {
    let shown = removed.old.strip_prefix("Model.").unwrap_or(&removed.old);
    let message = format!(
        "Keras 3 has no `{shown}`, so this raises an exception; {}",
        removed.advice
    );
    let applicability = if removed.safe {
        Applicability::Safe
    } else {
        Applicability::Unsafe
    };
    let fix = fix.map(|(place, text)| context.fix(format!("Write `{text}`"), applicability, place, text));
    Finding {
        confidence: 0.95,
        fixes: fix.into_iter().collect(),
        ..context.finding(&INFO, range, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = [
            "from keras.layers import Dense, Convolution2D".to_owned(),
            "from tensorflow.keras import backend as K\nK.mean(x)".to_owned(),
            "from keras import backend as K\nK.clear_session()\nK.epsilon()".to_owned(),
            "from keras.datasets import mnist".to_owned(),
            "from tensorflow.keras.preprocessing.image import ImageDataGenerator".to_owned(),
            "import tf_keras\nfrom keras.layers.core import Dense".to_owned(),
            "from keras.applications.vgg16 import VGG16".to_owned(),
        ];
        let fail = [("from keras.layers.core import Dense, Dropout".to_owned(), "keras.layers.core"), ("from keras.utils import np_utils".to_owned(), "np_utils"), ("from keras import backend as K\nK.mean(x)".to_owned(), "mean"), ("from keras.preprocessing.image import ImageDataGenerator".to_owned(), "ImageDataGenerator"), ("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('sgd', 'mse')\nm.fit_generator(g, epochs=3)".to_owned(), "fit_generator"), ("import keras\nkeras.layers.CuDNNLSTM(8)".to_owned(), "CuDNNLSTM"), ("from tensorflow.keras.layers.experimental import preprocessing\n".to_owned(), "preprocessing")];
        let fix = [("from keras.layers import CuDNNLSTM, Dense".to_owned(), "from keras.layers import LSTM as CuDNNLSTM, Dense".to_owned()), ("from keras.layers import Dense, CuDNNGRU as G".to_owned(), "from keras.layers import Dense, GRU as G".to_owned()), ("from tensorflow.keras.layers.convolutional import Conv2D".to_owned(), "from tensorflow.keras.layers import Conv2D".to_owned()), ("from keras.utils import np_utils".to_owned(), "from keras import utils as np_utils".to_owned()), ("from keras.utils.np_utils import to_categorical".to_owned(), "from keras.utils import to_categorical".to_owned()), ("import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('sgd', 'mse')\np = m.predict_proba(x)".to_owned(), "import keras\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('sgd', 'mse')\np = m.predict(x)".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
