//! # data-set-with-array-arguments (DL414)
//!
//! ## What it does
//! Finds `fit` on a `tf.data.Dataset` or a generator together with arguments that are for arrays: `y`,
//! `validation_split`.
//!
//! ## Why it matters
//! A data set brings its labels along and has no known last samples. Keras raises `ValueError` for either argument.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! train = keras.utils.image_dataset_from_directory("photos")
//! model = keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(train, validation_split=0.2)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! train, validation = keras.utils.image_dataset_from_directory("photos", validation_split=0.2, subset="both", seed=1)
//! model = keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(train, validation_data=validation)
//! ```
//!
//! ## Fix safety
//! No fix: the data set has to be made in another way.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::{Context, number};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL414",
    name: "data-set-with-array-arguments",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("data_set_with_array_arguments.rs"),
};

/// What makes data sets and generators.
const MAKERS: [&str; 8] = [
    "image_dataset_from_directory(",
    "text_dataset_from_directory(",
    "timeseries_dataset_from_array(",
    "audio_dataset_from_directory(",
    ".flow_from_directory(",
    ".flow_from_dataframe(",
    ".flow(",
    "Dataset.from_tensor_slices(",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let fit = sets.training.call;
        let Some(value) = sets.training.x.as_ref().and_then(|x| x.values().next()) else {
            continue;
        };
        let made = MAKERS.iter().any(|maker| value.contains(maker));
        // What is taken out of a data set is an array.
        let taken_out = ["next(", "list(", "np.", "iter(", "[0]"].iter().any(|sign| {
            value
                .split('(')
                .next()
                .is_some_and(|head| format!("{head}(").contains(sign))
        });
        if !made || taken_out || value.contains("for ") {
            continue;
        }
        let labels = fit
            .argument("y")
            .filter(|y| y.name_range.is_some() || y.value.value != Value::None)
            .filter(|y| y.value.value != Value::None);
        let split = fit
            .argument("validation_split")
            .filter(|split| number(&split.value.value).is_some_and(|share| share > 0.0));
        let (argument, message) = match (labels, split) {
            (Some(labels), _) => (
                labels,
                "a data set brings its labels along, so Keras raises an exception when `y` is given too; leave it out",
            ),
            (None, Some(split)) => (
                split,
                "`validation_split` takes the last samples of arrays and raises an exception for a data set; split the data set \
                 itself and pass `validation_data=`",
            ),
            _ => continue,
        };
        findings.push(Finding {
            confidence: 0.93,
            ..context.finding(&INFO, argument.range, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fitted;

    #[test]
    fn tables() {
        let pass = [fitted("ds, validation_data=val"), "import keras, tensorflow as tf\nds = tf.data.Dataset.from_tensor_slices((a, b)).batch(8)\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(ds, epochs=3)".to_owned(), "import keras, tensorflow as tf\nds = tf.data.Dataset.from_tensor_slices((a, b)).batch(8)\nx, y = next(iter(ds))\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(x, y, validation_split=0.2)".to_owned()];
        let fail = [("import keras, tensorflow as tf\nds = tf.data.Dataset.from_tensor_slices((a, b)).batch(8)\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(ds, validation_split=0.1)".to_owned(), "validation_split=0.1"), ("import keras\ng = keras.utils.image_dataset_from_directory('d')\nm = keras.Sequential([keras.layers.Dense(1)])\nm.compile('adam', 'mse')\nm.fit(g, labels)".to_owned(), "labels")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
