//! # labels-of-another-pass (DL551)
//!
//! ## What it does
//! Finds predictions of a data set that is shuffled anew at every pass, while its labels are collected in another pass, and
//! predictions of a generator that shuffles, compared with its `classes`.
//!
//! ## Why it matters
//! The predictions are in another order than the labels, so the confusion matrix and the report show guessing, however
//! good the network is.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! test = keras.utils.image_dataset_from_directory("test")
//! predicted = model.predict(test)
//! labels = np.concatenate([y for x, y in test])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! test = keras.utils.image_dataset_from_directory("test", shuffle=False)
//! predicted = model.predict(test)
//! labels = np.concatenate([y for x, y in test])
//! ```
//!
//! ## Fix safety
//! No fix: where the order is of no use (the training) the data set may be shuffled all the same.
//!
//! ## References
//! - `tf.data.Dataset.shuffle`: `reshuffle_each_iteration=True`

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Code, Field, Node};

use crate::context::Context;
use crate::read::is_unconditional;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL551",
    name: "labels-of-another-pass",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("labels_of_another_pass.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let text = context.text;
    let may_shuffle = text.contains(".shuffle(") || text.contains("_from_") || text.contains(".flow");
    if !text.contains(".predict") || !may_shuffle {
        return Vec::new();
    }
    let Some(code) = context.tree() else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for call in code.root().all(&["call"]) {
        let found = || {
            let (method, _) = call.method()?;
            if !matches!(method, "predict" | "predict_generator") {
                return None;
            }
            let given = call.arguments().first()?.1;
            let name = given.is("identifier").then(|| given.text())?;
            let place = labels(code, call, name)?;
            shuffles(context, code, given)?;
            Some((given, name, place))
        };
        let Some((given, name, place)) = found() else {
            continue;
        };
        let line = text
            .get(..place.range().start)
            .map_or(0, |before| before.matches('\n').count() + 1);
        let message = format!(
            "`{name}` is in another order at every pass, and its labels are taken in another one (line {line}): predictions and labels \
             do not belong together, and the comparison shows guessing; do not shuffle what is predicted (`shuffle=False`), or \
             collect both in one loop"
        );
        findings.push(Finding {
            confidence: 0.92,
            ..context.finding(&INFO, given.range(), message)
        });
    }
    findings
}

/// Where the labels of a data set are collected besides a prediction.
fn labels<'a>(code: &Code<'a>, predicts: Node<'a>, name: &str) -> Option<Node<'a>> {
    let scope = predicts.function().unwrap_or_else(|| code.root());
    let reads = |node: Node<'a>| {
        let over = node.field(Field::Right)?;
        let own = over.text() == name
            || over.text() == format!("{name}.unbatch()")
            || over.text() == format!("{name}.as_numpy_iterator()");
        let pair = node.field(Field::Left)?.children().len() == 2;
        // The second of a pair is what is kept.
        let label = node.field(Field::Left)?.children().last()?.text();
        let turn = node.parent().filter(|_| node.is("for_in_clause")).unwrap_or(node);
        // In a loop that predicts as well, both are of one pass; one that draws a few images shows them.
        let predicts = turn.text().contains(".predict") || turn.text().contains("model(");
        let keeps = node.is("for_in_clause")
            && turn.children().first().is_some_and(|value| value.mentions(label))
            || [".append(", ".extend(", "concatenate(", "+="]
                .iter()
                .any(|way| turn.text().contains(way));
        (own && pair && keeps && !predicts).then_some(node)
    };
    let passes = scope.all(&["for_statement", "for_in_clause"]).into_iter();
    let mut passes = passes.filter(|pass| pass.function() == predicts.function());
    if let Some(pass) = passes.find_map(|pass| reads(pass).filter(|_| !pass.contains(predicts))) {
        return Some(pass);
    }
    // `generator.classes`
    scope.all(&["attribute"]).into_iter().find(|attribute| {
        attribute.text() == format!("{name}.classes") || attribute.text() == format!("{name}.labels")
    })
}

/// The call that puts a data set into another order at every pass; `None` where none does, or that is not certain.
fn shuffles<'a>(context: &Context<'a>, code: &Code<'a>, node: Node<'a>) -> Option<Node<'a>> {
    const LONGEST: usize = 24;
    let mut node = node.bare();
    let mut before = node.range().start;
    for _ in 0..LONGEST {
        if node.is("identifier") {
            let scope = node.function().unwrap_or_else(|| code.root());
            let mut assignments = scope.all(&["assignment"]).into_iter().filter(|assignment| {
                assignment.function() == node.function()
                    && assignment
                        .field(Field::Left)
                        .is_some_and(|left| left.mentions(node.text()))
            });
            let last = assignments.rfind(|assignment| assignment.range().end <= before)?;
            let plain = last.field(Field::Left)?.text() == node.text();
            if !plain || !is_unconditional(context.text, last.range().start) {
                return None;
            }
            before = last.range().start;
            node = last.field(Field::Right)?.bare();
            continue;
        }
        let keyword = |name: &str| {
            let arguments = node.arguments();
            let found = arguments.iter().find(|(keyword, _)| *keyword == Some(name));
            found.map(|(_, value)| value.text())
        };
        let open = node
            .arguments()
            .iter()
            .any(|(_, value)| matches!(value.kind(), "dictionary_splat" | "list_splat"));
        let callee = node.field(Field::Function).filter(|_| node.is("call"))?;
        let last = callee.text().rsplit('.').next()?;
        let reads_files = matches!(
            last,
            "image_dataset_from_directory"
                | "text_dataset_from_directory"
                | "audio_dataset_from_directory"
                | "flow_from_directory"
                | "flow_from_dataframe"
        );
        if reads_files {
            return (!open && matches!(keyword("shuffle"), None | Some("True"))).then_some(node);
        }
        if callee.is("identifier") {
            // A function of the file: what it returns.
            let function = code.function(callee)?;
            let returned = function.all(&["return_statement"]);
            let [returned] = returned.as_slice() else {
                return None;
            };
            node = returned.children().first()?.bare();
            before = returned.range().start;
            continue;
        }
        let (method, object) = node.method()?;
        match method {
            "shuffle" => {
                let again = keyword("reshuffle_each_iteration")
                    .or_else(|| node.argument("", 2).map(|value| value.text()));
                return (!open && matches!(again, None | Some("True" | "None"))).then_some(node);
            }
            "batch" | "prefetch" | "map" | "with_options" | "repeat" | "unbatch" | "padded_batch"
            | "take" => node = object.bare(),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(set: &str, rest: &str) -> String {
        format!(
            "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\ndef make(x, y, training):\n    ds = tf.data.Dataset.from_tensor_slices((x, y))\n    \
             ds = ds.shuffle(99)\n    return ds.batch(32)\ndef other(x, training):\n    ds = tf.data.Dataset.from_tensor_slices(x)\n    if training:\n        ds = ds.shuffle(99)\n    \
             return ds.batch(32)\n{set}\n{rest}\n"
        )
    }

    #[test]
    fn tables() {
        let collect = "p = m.predict(ds)\nt = np.concatenate([y for x, y in ds])";
        let shuffled = "ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(9).batch(3)";
        let pass = [
            script(
                "ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(3)",
                collect,
            ),
            script(
                "ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(9, reshuffle_each_iteration=False)",
                collect,
            ),
            script(
                "ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(9).cache()",
                collect,
            ),
            script("ds = other(x, False)", collect),
            script(
                "ds = keras.utils.image_dataset_from_directory('t', shuffle=False)",
                collect,
            ),
            script(
                shuffled,
                "for x, y in ds:\n    p.append(m.predict(x))\n    t.append(y)",
            ),
            script(shuffled, "p = m.predict(ds)"),
            script(shuffled, "m.fit(ds)\np = m.predict(x)\nt = [y for x, y in ds]"),
            script(
                "g = d.flow_from_directory('t', shuffle=False)",
                "p = m.predict(g)\nt = g.classes",
            ),
            script("g = d.flow_from_directory('t')", "m.fit(g)\nprint(g.classes)"),
        ];
        let fail = [
            (script(shuffled, collect), "ds"),
            (script("ds = make(x, y, False)", collect), "ds"),
            (
                script(
                    "ds = keras.utils.image_dataset_from_directory('t').prefetch(2)",
                    collect,
                ),
                "ds",
            ),
            (
                script(
                    "ds = make(x, y, False)\nds = ds.prefetch(1)",
                    "t = []\nfor a, b in ds:\n    t.extend(b)\np = m.predict(ds)",
                ),
                "ds",
            ),
            (
                script(
                    "g = d.flow_from_directory('t')",
                    "p = m.predict(g)\nt = g.classes",
                ),
                "g",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
