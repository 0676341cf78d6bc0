//! Which Keras a script is written for.

use program::Program;

/// Modules that only Keras 3 has.
const MODULES: [&str; 7] = [
    "keras.ops",
    "keras.random",
    "keras.tree",
    "keras.distribution",
    "keras_core",
    "keras_hub",
    "jax",
];

/// Names, arguments and requirements that only Keras 3 has.
const SIGNS: [&str; 8] = [
    "keras.ops.",
    "keras.random.",
    "PyDataset",
    "SeedGenerator",
    "negative_slope",
    "keras>=3",
    "keras==3",
    "keras~=3",
];

/// Whether a script is certainly written for Keras 3. Most scripts do not say; then what only Keras 3 refuses is no
/// fault of a script that may well run on the Keras it was written for.
pub(crate) fn is_for_keras_3(program: &Program, text: &str) -> bool {
    let imported = program.imports.iter().any(|import| {
        let whole = match &import.name {
            Some(name) => format!("{}.{name}", import.module),
            None => import.module.clone(),
        };
        MODULES.iter().any(|module| {
            whole
                .strip_prefix(module)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    });
    let backend = || {
        text.lines().any(|line| {
            line.contains("KERAS_BACKEND") && ["jax", "torch"].iter().any(|name| line.contains(name))
        })
    };
    imported || SIGNS.iter().any(|sign| text.contains(sign)) || backend()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_keras_3_alone_has_is_a_sign() {
        let of = |text: &str| is_for_keras_3(&Program::parse(text), text);
        assert!(of("import keras\nfrom keras import layers, ops\n"));
        assert!(of("import keras\nx = keras.ops.zeros((3,))\n"));
        assert!(of(
            "import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras\n"
        ));
        assert!(of("!pip install 'keras>=3.3'\nimport keras\n"));
        assert!(!of(
            "import os\nos.environ['KERAS_BACKEND'] = 'theano'\nimport keras\n"
        ));
        assert!(!of("from keras import layers\nmodel.save('m.keras')\n"));
        assert!(!of(
            "from tensorflow import keras\nx = keras.backend.random_normal((2,))\n"
        ));
    }
}
