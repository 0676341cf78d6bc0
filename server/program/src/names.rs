//! Dotted names through imports and aliases, and the one name Keras' things have whichever way they were imported.

use tree_sitter::Node;

use crate::field;
use crate::scope::{Bound, Place, Scopes};
use crate::signature;
use crate::syntax::KindName;
use crate::syntax::slice;

/// Longest dotted name, and longest chain of aliases, that is followed.
const LONGEST: usize = 16;

/// Packages that are Keras, longest first.
const KERAS: [&str; 9] = [
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v2.keras",
    "tensorflow.python.keras",
    "tensorflow.contrib.keras",
    "tensorflow.keras",
    "keras.api._v2.keras",
    "keras.api",
    "keras.src",
    "tf_keras",
];

/// Modules of TensorFlow that are Keras' under another name.
const TENSORFLOW_ALIASES: [&str; 4] = ["losses", "optimizers", "metrics", "initializers"];

/// Modules of Keras whose submodules are an implementation detail (`keras.layers.core.Dense`).
const FLAT: [&str; 8] = [
    "layers",
    "losses",
    "metrics",
    "activations",
    "initializers",
    "regularizers",
    "callbacks",
    "utils",
];

/// Submodules that are not: what is in them is another thing than what the module has under the same name.
const NESTED: [&str; 4] = ["schedules", "legacy", "experimental", "preprocessing"];

/// The dotted name an expression stands for (`tensorflow.keras.layers.Dense`, `numpy.array`), as imported.
pub(crate) fn path<'t>(scopes: &Scopes<'_, 't>, text: &str, node: Node<'t>, place: Place) -> Option<String> {
    let (mut node, mut place) = (node, place);
    // Attributes met on the way down, innermost last.
    let mut attributes: Vec<&str> = Vec::new();
    for _ in 0..LONGEST {
        match node.kind_name() {
            "attribute" => {
                attributes.push(slice(node.child_by_field_id(field::ATTRIBUTE)?, text));
                node = node.child_by_field_id(field::OBJECT)?;
            }
            "identifier" => {
                let name = slice(node, text);
                let Some((_, bindings)) = scopes.lookup(name, place.scope) else {
                    return wildcard(scopes, name, place).map(|path| join(path, &attributes));
                };
                if let Some(imported) = imported(bindings.iter().map(|binding| &binding.bound)) {
                    return Some(join(imported, &attributes));
                }
                (node, place) = scopes.value(name, place, node.start_byte())?;
            }
            _ => return None,
        }
    }
    None
}

fn join(path: String, attributes: &[&str]) -> String {
    attributes
        .iter()
        .rev()
        .fold(path, |path, attribute| path + "." + attribute)
}

/// The module a name was imported from, when all its bindings agree about it (`try: import … except: import …`).
fn imported<'b, 't: 'b>(bindings: impl Iterator<Item = &'b Bound<'t>>) -> Option<String> {
    let mut path: Option<&String> = None;
    for bound in bindings {
        let Bound::Import(next) = bound else { return None };
        if path.is_some_and(|path| canonical(path) != canonical(next)) {
            return None;
        }
        path = Some(next);
    }
    path.cloned()
}

/// A name nobody binds may come from `from keras.layers import *`, if the module has it.
fn wildcard(scopes: &Scopes<'_, '_>, name: &str, place: Place) -> Option<String> {
    let mut at = Some(place.scope);
    while let Some(scope) = at.and_then(|id| scopes.scopes.get(id)) {
        if let Some(path) = scope
            .wildcards
            .iter()
            .find_map(|module| wildcard_member(module, name))
        {
            return Some(path);
        }
        at = scope.parent;
    }
    None
}

/// The dotted name of something that `from module import *` brings in, if the module has it.
pub(crate) fn wildcard_member(module: &str, name: &str) -> Option<String> {
    let path = format!("{module}.{name}");
    let known = canonical(&path).is_some_and(|canonical| {
        signature::parameters(&canonical).is_some()
            || matches!(
                canonical.as_str(),
                "keras.Sequential" | "keras.Model" | "keras.layers.Layer"
            )
    });
    known.then_some(path)
}

/// Whether a module is a Keras older than 3 in any case.
pub(crate) fn is_legacy(module: &str) -> bool {
    [
        "tf_keras",
        "tensorflow.python.keras",
        "tensorflow.contrib.keras",
        "tensorflow.compat.v1.keras",
    ]
    .iter()
    .any(|legacy| {
        module
            .strip_prefix(legacy)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// The canonical name of something of Keras: `keras.layers.Dense` for `tensorflow.python.keras.layers.core.Dense`.
/// `None` when the name is not Keras'.
pub(crate) fn canonical(path: &str) -> Option<String> {
    let inside = inside_keras(path)?;
    let mut parts: Vec<&str> = inside.split('.').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["models" | "engine", .., last @ ("Sequential" | "Model")] => parts = vec![last],
        ["models", "Functional"] => parts = vec!["Model"],
        ["layers" | "engine", .., "Input"] => parts = vec!["Input"],
        ["objectives", rest @ ..] => parts = [&["losses"], rest].concat(),
        ["preprocessing", "sequence", "pad_sequences"] => parts = vec!["utils", "pad_sequences"],
        [module, middle @ .., last]
            if !middle.is_empty() && !middle.iter().any(|part| NESTED.contains(part)) =>
        {
            let is_class = last.starts_with(|first: char| first.is_ascii_uppercase());
            if FLAT.contains(module) || (*module == "optimizers" && is_class) {
                parts = vec![module, last];
            }
        }
        _ => {}
    }
    let mut name = String::from("keras");
    for part in parts {
        name.push('.');
        name.push_str(part);
    }
    Some(signature::unaliased(&name).map_or(name, str::to_owned))
}

/// What follows the package in a dotted name of Keras.
fn inside_keras(path: &str) -> Option<String> {
    let under = |package: &str| {
        path.strip_prefix(package)
            .filter(|rest| rest.is_empty() || rest.starts_with('.'))
            .map(|rest| rest.trim_start_matches('.').to_owned())
    };
    if let Some(inside) = KERAS
        .iter()
        .find_map(|package| under(package))
        .or_else(|| under("keras"))
    {
        return Some(inside);
    }
    let inside = under("tensorflow")?;
    let (module, name) = inside.split_once('.')?;
    if TENSORFLOW_ALIASES.contains(&module) {
        return Some(inside);
    }
    let activation = format!("activations.{name}");
    (module == "nn" && signature::parameters(&format!("keras.{activation}")).is_some()).then_some(activation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_import_keras_gives_one_name() {
        for (path, expected) in [
            ("keras.layers.Dense", "keras.layers.Dense"),
            ("tensorflow.keras.layers.Dense", "keras.layers.Dense"),
            ("tensorflow.python.keras.layers.core.Dense", "keras.layers.Dense"),
            ("tf_keras.layers.Dense", "keras.layers.Dense"),
            ("keras.layers.convolutional.Convolution2D", "keras.layers.Conv2D"),
            ("keras.models.Sequential", "keras.Sequential"),
            ("tensorflow.keras.Model", "keras.Model"),
            ("keras.layers.Input", "keras.Input"),
            ("keras.optimizers.SGD", "keras.optimizers.SGD"),
            ("tensorflow.optimizers.SGD", "keras.optimizers.SGD"),
            ("keras.optimizers.legacy.SGD", "keras.optimizers.legacy.SGD"),
            (
                "keras.optimizers.schedules.ExponentialDecay",
                "keras.optimizers.schedules.ExponentialDecay",
            ),
            (
                "keras.utils.np_utils.to_categorical",
                "keras.utils.to_categorical",
            ),
            ("tensorflow.nn.relu", "keras.activations.relu"),
            ("keras.objectives.mse", "keras.losses.mse"),
        ] {
            assert_eq!(canonical(path).as_deref(), Some(expected), "{path}");
        }
        for path in [
            "numpy.array",
            "kerastuner.Tuner",
            "tensorflow.data.Dataset",
            "tensorflow.nn.conv2d",
            "tensorflow",
        ] {
            assert_eq!(canonical(path), None, "{path}");
        }
    }
}
