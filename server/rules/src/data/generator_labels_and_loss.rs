//! # generator-labels-and-loss (DL417)
//!
//! ## What it does
//! Finds generators and data sets of image folders that make labels of another form than the loss takes.
//!
//! ## Why it matters
//! `flow_from_directory` makes one-hot labels unless `class_mode=` says otherwise, `image_dataset_from_directory` makes
//! class numbers unless `label_mode=` does. Categorical cross-entropy takes a column per class, sparse categorical
//! cross-entropy takes class numbers, and a single unit takes one column; each raises an exception for the others.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! train = keras.utils.image_dataset_from_directory("photos")
//! model = keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(4, activation="softmax")])
//! model.compile(optimizer="adam", loss="categorical_crossentropy")
//! model.fit(train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! train = keras.utils.image_dataset_from_directory("photos")
//! model = keras.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(4, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(train)
//! ```
//!
//! ## Fix safety
//! Safe where the loss is exchanged for the one for the labels there are.
//!
//! ## References
//! - `keras.utils.image_dataset_from_directory`, `ImageDataGenerator.flow_from_directory`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

use crate::context::Context;
use crate::read::{Data, compact};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL417",
    name: "generator-labels-and-loss",
    kind: Kind::Loss,
    severity: Severity::Error,
    source: include_str!("generator_labels_and_loss.rs"),
};

/// What makes the labels, the argument that says how, and its default.
const MAKERS: [(&str, &str, &str); 4] = [
    (".flow_from_directory(", "class_mode", "categorical"),
    (".flow_from_dataframe(", "class_mode", "categorical"),
    ("image_dataset_from_directory(", "label_mode", "int"),
    ("text_dataset_from_directory(", "label_mode", "int"),
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(output) = context.output_of_fit(sets.training.call) else {
            continue;
        };
        let Some((argument, mode)) = sets.training.x.as_ref().and_then(labels) else {
            continue;
        };
        let loss = &output.loss;
        let one_unit = output.head.units == Some(1);
        let several = output.head.units.is_some_and(|units| units > 1);
        let numbers = matches!(mode.as_str(), "int" | "binary" | "sparse");
        let (message, new) = match loss.name {
            "categorical_crossentropy" if numbers && several => (
                format!(
                    "`{argument}` is `{mode}`, so the labels are class numbers, but this loss takes a column per class and \
                     raises an exception at the first batch; use `sparse_categorical_crossentropy`, or `{argument}=\"categorical\"`"
                ),
                Some("sparse_categorical_crossentropy"),
            ),
            "sparse_categorical_crossentropy" if mode == "categorical" && several => (
                format!(
                    "`{argument}` is `categorical`, so the labels have a column per class, but this loss takes class numbers and \
                     raises an exception at the first batch; use `categorical_crossentropy`, or other labels"
                ),
                Some("categorical_crossentropy"),
            ),
            "binary_crossentropy" if mode == "categorical" && one_unit => (
                format!(
                    "`{argument}` is `categorical`, so the labels have a column per class, but the output has a single unit and \
                     the loss raises an exception at the first batch; use `{argument}=\"binary\"`"
                ),
                None,
            ),
            _ => continue,
        };
        let plain = loss.written.contains('_');
        let edit = new
            .filter(|_| plain)
            .and_then(|new| context.replace_name(loss.range, &loss.written, new));
        let fix = edit.map(|(range, text)| {
            context.fix("Use the loss for these labels", Applicability::Safe, range, text)
        });
        findings.push(Finding {
            confidence: 0.94,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, loss.range, message)
        });
    }
    findings
}

/// How the labels of a generator are made; `None` when that is not certain.
fn labels(x: &Data<'_>) -> Option<(&'static str, String)> {
    let value = compact(x.last_change()?.change.value.slice(x.text()));
    let (start, argument, default) = MAKERS
        .iter()
        .find_map(|(maker, argument, default)| Some((value.find(maker)? + maker.len(), argument, default)))?;
    let inside = value.get(start..)?.strip_suffix(')')?;
    // Only the call itself: no `.map(…)` behind it, no arguments that cannot be seen.
    if inside.contains("**") || unbalanced(inside) {
        return None;
    }
    let mode = match inside.split_once(&format!("{argument}=")) {
        None if inside.contains("labels=") || inside.contains("y_col=[") => return None,
        None => (*default).to_owned(),
        Some((_, rest)) => {
            let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            rest.get(1..)?.split_once(quote)?.0.to_owned()
        }
    };
    Some((argument, mode))
}

/// Whether a bracket is closed that was not opened.
fn unbalanced(text: &str) -> bool {
    let mut depth = 0_i32;
    text.chars().any(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth < 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(data: &str, head: &str, loss: &str) -> String {
        format!(
            "import keras\nfrom keras.layers import *\n{data}\n\
             m = keras.Sequential([Rescaling(1 / 255), Flatten(), {head}])\nm.compile('adam', {loss})\nm.fit(g)\n"
        )
    }

    #[test]
    fn tables() {
        let folder = "g = keras.utils.image_dataset_from_directory('d', image_size=(64, 64))";
        let flow = |mode: &str| format!("g = gen.flow_from_directory('d', target_size=(64, 64){mode})");
        let (sparse, one_hot) = ("'sparse_categorical_crossentropy'", "'categorical_crossentropy'");
        let pass = [
            script(folder, "Dense(4, 'softmax')", sparse),
            script(&flow(""), "Dense(4, 'softmax')", one_hot),
            script(&flow(", class_mode=mode"), "Dense(4, 'softmax')", sparse),
            script(&flow(", **options"), "Dense(4, 'softmax')", sparse),
            script(
                &flow(", class_mode='binary'"),
                "Dense(1, 'sigmoid')",
                "'binary_crossentropy'",
            ),
            script(
                &format!("{folder}.map(lambda x, y: (x, keras.ops.one_hot(y, 4)))"),
                "Dense(4, 'softmax')",
                one_hot,
            ),
            script(&format!("{folder}\ng = g.map(f)"), "Dense(4, 'softmax')", one_hot),
        ];
        let fail = [
            (script(folder, "Dense(4, 'softmax')", one_hot), one_hot),
            (
                script(
                    &format!("{folder}\ng = g.prefetch(2)"),
                    "Dense(4, 'softmax')",
                    one_hot,
                ),
                one_hot,
            ),
            (
                script(&flow(", class_mode='binary'"), "Dense(4, 'softmax')", one_hot),
                one_hot,
            ),
            (script(&flow(""), "Dense(4, 'softmax')", sparse), sparse),
            (
                script(&flow(""), "Dense(1, 'sigmoid')", "'binary_crossentropy'"),
                "'binary_crossentropy'",
            ),
        ];
        let fix = [(
            script(folder, "Dense(4, 'softmax')", one_hot),
            script(folder, "Dense(4, 'softmax')", sparse),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
