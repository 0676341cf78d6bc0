//! # argmax-over-samples (DL519)
//!
//! ## What it does
//! Finds `argmax` over axis 0 of what a classifier predicts: `np.argmax(model.predict(x), axis=0)`, and `tf.argmax` without
//! an axis, which takes axis 0.
//!
//! ## Why it matters
//! Axis 0 are the samples. The result is not a class per sample but a sample per class: as many numbers as there are
//! classes, each the number of a sample. Compared with the labels it raises, or gives an accuracy that means nothing.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x, y)
//! predicted = np.argmax(model.predict(x_test), axis=0)
//! print(np.mean(predicted == y_test))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x, y)
//! predicted = np.argmax(model.predict(x_test), axis=1)
//! print(np.mean(predicted == y_test))
//! ```
//!
//! ## Fix safety
//! Safe: axis 1, the classes, is put in. Where the result is compared with nothing, the sample that a class fits best may be
//! what is wanted: information only, and the fix is unsafe.
//!
//! ## References
//! - `numpy.argmax`, `tf.math.argmax`

use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::{Call, ModelKind};

use crate::context::Context;
use crate::read::{Head, compact, is_plain, model_of};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL519",
    name: "argmax-over-samples",
    kind: Kind::ApiMisuse,
    severity: Severity::Warning,
    source: include_str!("argmax_over_samples.rs"),
};

/// Functions whose axis is 0 where none is given.
const FROM_AXIS_0: [&str; 2] = ["tf.argmax", "tf.math.argmax"];

/// Functions that take one.
const WITH_AXIS: [&str; 5] = [
    "np.argmax",
    "numpy.argmax",
    "ops.argmax",
    "tf.argmax",
    "tf.math.argmax",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let text = context.text;
    let mut findings = Vec::new();
    let classifiers: Vec<Range> = context
        .program
        .calls
        .iter()
        .filter(|call| call.callee == "Model.predict" && gives_classes(context, call))
        .map(|call| call.range)
        .collect();
    if classifiers.is_empty() {
        return findings;
    }
    for (at, _) in text.match_indices("argmax(") {
        let Some(found) = Argmax::at(text, at).filter(|found| found.over_samples) else {
            continue;
        };
        let plain = is_plain(found.array.slice(text)).is_some_and(|name| !name.contains('.'));
        let predicted = if plain {
            let way = context.program.provenance(text, found.array, found.whole.start);
            let as_it_is = way
                .chain
                .iter()
                .all(|step| is_plain(step.value.slice(text)).is_some());
            way.change.filter(|_| as_it_is).map(|change| change.value)
        } else {
            Some(found.array)
        };
        if !predicted.is_some_and(|predicted| classifiers.contains(&predicted)) {
            continue;
        }
        let compared = is_compared(text, found.whole);
        let message = "axis 0 are the samples, so this gives the number of a sample for each class instead of a class for each \
                       sample; take the classes, axis 1";
        let (place, edit) = match found.axis {
            Some(axis) => (axis, "1".to_owned()),
            None => (
                Range::new(found.array.end, found.array.end),
                ", axis=1".to_owned(),
            ),
        };
        let applicability = if compared {
            Applicability::Safe
        } else {
            Applicability::Unsafe
        };
        findings.push(Finding {
            severity: if compared {
                Severity::Warning
            } else {
                Severity::Information
            },
            confidence: if compared { 0.95 } else { 0.7 },
            fixes: vec![context.fix("Take the classes, axis 1", applicability, place, edit)],
            ..context.finding(&INFO, found.whole, message)
        });
    }
    findings
}

/// Whether what a call predicts has a row per sample and a column per class.
fn gives_classes(context: &Context<'_>, predict: &Call) -> bool {
    let Some(model) = model_of(context.program, context.text, predict) else {
        return false;
    };
    let last = model
        .layers
        .last()
        .map(|layer| context.program.call(layer.call).class());
    // A value per time step or pixel has more axes.
    let flat = matches!(model.kind, ModelKind::Sequential | ModelKind::Functional)
        && matches!(last, Some("Dense" | "Softmax" | "Activation"))
        && !context.text.contains("return_sequences")
        && !context.text.contains("TimeDistributed");
    flat && Head::of(context.program, model).is_some_and(|head| head.units.is_some_and(|units| units > 1))
}

/// A call of `argmax`.
struct Argmax {
    whole: Range,
    array: Range,
    /// What is written for the axis.
    axis: Option<Range>,
    over_samples: bool,
}

impl Argmax {
    /// The call whose name ends with the `argmax(` at a byte.
    fn at(text: &str, at: usize) -> Option<Argmax> {
        let before = text.get(..at)?;
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        if text.get(line..at)?.contains('#') {
            return None;
        }
        let open = at + "argmax".len();
        let close = closing(text, open)?;
        let name = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
        let begin = before.rfind(|letter| !name(letter)).map_or(0, |end| end + 1);
        let function = text.get(begin..open)?;
        let whole = Range::new(begin, close + 1);
        let mut arguments = split(text, Range::new(open + 1, close))?;
        let array = if WITH_AXIS.contains(&function) {
            (!arguments.is_empty()).then(|| arguments.remove(0))?
        } else {
            // `predictions.argmax(axis=0)`
            let object = function
                .strip_suffix(".argmax")
                .filter(|object| !object.is_empty())?;
            Range::new(begin, begin + object.len())
        };
        let axis = match arguments.as_slice() {
            [] => None,
            [axis] => {
                let written = axis.slice(text);
                let value = written.split_once('=').map_or(Some(written), |(name, value)| {
                    matches!(name.trim(), "axis" | "dimension").then_some(value)
                })?;
                Some(Range::new(axis.end - value.trim_start().len(), axis.end))
            }
            _ => return None,
        };
        let over_samples = match axis {
            Some(axis) => axis.slice(text) == "0",
            None => FROM_AXIS_0.contains(&function),
        };
        Some(Argmax {
            whole,
            array,
            axis,
            over_samples,
        })
    }
}

/// The bracket that closes the one at a byte.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.get(open..)?.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The arguments in a range.
fn split(text: &str, inside: Range) -> Option<Vec<Range>> {
    let written = inside.slice(text);
    let (mut depth, mut start) = (0_usize, 0);
    let mut found = Vec::new();
    for (at, letter) in written.char_indices().chain([(written.len(), ',')]) {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                let argument = written.get(start..at)?;
                let from = inside.start + start + argument.len() - argument.trim_start().len();
                let range = Range::new(from, from + argument.trim().len());
                if !range.slice(text).is_empty() {
                    found.push(range);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    Some(found)
}

/// Whether a result is compared with labels, there or by its name.
fn is_compared(text: &str, result: Range) -> bool {
    const METRICS: [&str; 5] = [
        "accuracy_score",
        "confusion_matrix",
        "classification_report",
        "f1_score",
        "accuracy(",
    ];
    let start = text
        .get(..result.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |end| end + 1);
    let line = text
        .get(start..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    let judges = |line: &str| line.contains("==") || METRICS.iter().any(|metric| line.contains(metric));
    if judges(line) {
        return true;
    }
    let Some((name, _)) = line
        .split_once('=')
        .filter(|(name, _)| is_plain(name.trim()).is_some())
    else {
        return false;
    };
    let name = name.trim();
    text.get(result.end..).unwrap_or_default().lines().any(|line| {
        let line = compact(line);
        let used = line
            .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .any(|word| word == name);
        used && judges(&line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(units: usize, rest: &str) -> String {
        format!(
            "import keras\nimport numpy as np\nimport tensorflow as tf\n\
             m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense({units}, 'softmax')])\n\
             m.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n{rest}\n"
        )
    }

    #[test]
    fn tables() {
        let pass = [
            script(3, "p = np.argmax(m.predict(x), axis=1)\nprint(p == y)"),
            script(3, "p = np.argmax(m.predict(x), axis=-1)"),
            script(3, "p = np.argmax(m.predict(x))"),
            script(3, "p = np.argmax(m.predict(x)[0], axis=0)"),
            script(3, "q = m.predict(x)\nq = q[0]\np = np.argmax(q, axis=0)"),
            script(3, "q = m.predict(x)\nq = q.mean(axis=0)\np = np.argmax(q, axis=0)"),
            script(3, "p = np.argmax(other(x), axis=0)\nprint(p == y)"),
            script(3, "p = tf.argmax(m.predict(x), axis=k)"),
            script(3, "# np.argmax(m.predict(x), axis=0)"),
            script(3, "p = m.predict(x).argmax(axis=1)"),
            "import keras\nimport numpy as np\nm = keras.models.load_model('m')\np = np.argmax(m.predict(x), axis=0)\nprint(p == y)".to_owned(),
        ];
        let fail = [
            (
                script(3, "p = np.argmax(m.predict(x), axis=0)\nprint((p == y).mean())"),
                "np.argmax(m.predict(x), axis=0)",
            ),
            (
                script(
                    3,
                    "q = m.predict(x)\np = np.argmax(q, 0)\nprint(accuracy_score(y, p))",
                ),
                "np.argmax(q, 0)",
            ),
            (
                script(3, "q = m.predict(x)\nprint(accuracy_score(y, q.argmax(axis=0)))"),
                "q.argmax(axis=0)",
            ),
            (
                script(3, "p = tf.argmax(m.predict(x))\nprint(p == y)"),
                "tf.argmax(m.predict(x))",
            ),
            (
                script(3, "best = np.argmax(m.predict(x), axis=0)"),
                "np.argmax(m.predict(x), axis=0)",
            ),
        ];
        let fix = [
            (
                script(3, "p = np.argmax(m.predict(x), axis=0)\nprint(p == y)"),
                script(3, "p = np.argmax(m.predict(x), axis=1)\nprint(p == y)"),
            ),
            (
                script(3, "p = tf.argmax(m.predict(x))\nprint(p == y)"),
                script(3, "p = tf.argmax(m.predict(x), axis=1)\nprint(p == y)"),
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
