//! # batch-index-unused (DL450)
//!
//! ## What it does
//! Finds classes that give `fit` its batches (`keras.utils.PyDataset`, `keras.utils.Sequence`) and whose `__getitem__`
//! never uses the number of the batch it is asked for, but cuts the batch out of the data at a fixed place.
//!
//! ## Why it matters
//! Every batch of an epoch is the same one. The network learns these samples by heart and never sees the others: the
//! training loss falls to 0, and on other samples the network is no better than at the start.
//!
//! ## Example
//! ```python
//! import keras
//! class Batches(keras.utils.PyDataset):
//!     def __init__(self, x, y, batch_size):
//!         super().__init__()
//!         self.x, self.y, self.batch_size = x, y, batch_size
//!     def __len__(self):
//!         return len(self.x) // self.batch_size
//!     def __getitem__(self, index):
//!         return self.x[:self.batch_size], self.y[:self.batch_size]
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! class Batches(keras.utils.PyDataset):
//!     def __init__(self, x, y, batch_size):
//!         super().__init__()
//!         self.x, self.y, self.batch_size = x, y, batch_size
//!     def __len__(self):
//!         return len(self.x) // self.batch_size
//!     def __getitem__(self, index):
//!         batch = slice(index * self.batch_size, (index + 1) * self.batch_size)
//!         return self.x[batch], self.y[batch]
//! ```
//!
//! ## Fix safety
//! No fix: how the batch of a number is to be picked is not known.
//!
//! ## References
//! - `keras.utils.PyDataset`

use std::collections::HashSet;

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Code, Field, Node};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL450",
    name: "batch-index-unused",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("batch_index_unused.rs"),
};

/// Parts of names that stand for something that gives another value each time.
const CHANGING: [&str; 12] = [
    "rand",
    "rng",
    "choice",
    "sampler",
    "shuffle",
    "next",
    "permut",
    "iterator",
    "generator",
    "counter",
    "cursor",
    "queue",
];

/// Names of methods of which the same holds.
const CHANGING_METHODS: [&str; 6] = ["sample", "pop", "iter", "read", "readline", "integers"];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if !context.text.contains("__getitem__") {
        return Vec::new();
    }
    let Some(code) = context.tree() else {
        return Vec::new();
    };
    let classes = code.root().all(&["class_definition"]);
    classes
        .into_iter()
        .filter(|class| gives_batches(code, *class))
        .filter_map(|class| {
            let picked = repeated(code, class)?;
            let message = "this picks the batch, and the number of the batch that is asked for is never used: every batch is the \
                           same one, so the network learns these samples by heart and never sees the others; take the samples \
                           that belong to the number (`x[index * batch_size:(index + 1) * batch_size]`)";
            Some(Finding {
                confidence: 0.92,
                ..context.finding(&INFO, picked.range(), message)
            })
        })
        .collect()
}

fn gives_batches(code: &Code<'_>, class: Node<'_>) -> bool {
    let Some(bases) = class.field(Field::Superclasses) else {
        return false;
    };
    bases.children().into_iter().any(|base| {
        code.at(base.range())
            .and_then(|base| code.path(base))
            .is_some_and(|path| matches!(path.as_str(), "keras.utils.Sequence" | "keras.utils.PyDataset"))
    })
}

fn methods<'a>(class: Node<'a>) -> Vec<(&'a str, Node<'a>)> {
    let body = class.field(Field::Body).map(|body| body.children());
    body.unwrap_or_default()
        .into_iter()
        .filter_map(|statement| Some((statement.field(Field::Name)?.text(), statement)))
        .filter(|(_, statement)| statement.is("function_definition"))
        .collect()
}

/// The place where the batch is cut out, if it is the same in every call.
fn repeated<'a>(code: &Code<'a>, class: Node<'a>) -> Option<Node<'a>> {
    let methods = methods(class);
    let method = |name: &str| {
        methods
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, body)| *body)
    };
    let get = method("__getitem__")?;
    let parameters = get.parameter_names();
    let [_, index] = parameters.as_slice() else {
        return None;
    };
    let body = get.field(Field::Body)?;
    // A single batch may well be the same one.
    let length = method("__len__")?;
    let one = length
        .all(&["return_statement"])
        .iter()
        .any(|given| given.children().first().is_some_and(|value| value.text() == "1"));
    if one || body.mentions(index) || body.text().contains("locals(") {
        return None;
    }
    let closure = closure(code, get, &methods);
    if closure.iter().any(|function| changes(*function)) {
        return None;
    }
    // Where the places that are read change elsewhere, every call may read others.
    let moved: HashSet<&str> = methods
        .iter()
        .filter(|(name, _)| *name != "__init__")
        .flat_map(|(_, body)| body.all(&["assignment", "augmented_assignment"]))
        .filter_map(|assignment| assignment.field(Field::Left))
        .flat_map(|left| left.all(&["attribute"]))
        .filter_map(|attribute| attribute.field(Field::Attribute))
        .map(|name| name.text())
        .collect();
    closure
        .iter()
        .flat_map(|function| function.all(&["subscript"]))
        .find(|subscript| cuts(*subscript, &moved))
        .map(|subscript| {
            // In `__getitem__` itself, the whole statement says where.
            if body.contains(subscript) {
                subscript
            } else {
                body.children().first().copied().unwrap_or(subscript)
            }
        })
}

/// A method with the methods and functions of the file that it calls.
fn closure<'a>(code: &Code<'a>, get: Node<'a>, methods: &[(&str, Node<'a>)]) -> Vec<Node<'a>> {
    let mut found = vec![get];
    let mut at = 0;
    while let Some(function) = found.get(at).copied() {
        at += 1;
        for call in function.all(&["call"]) {
            let called = match call.method() {
                Some((name, object)) if object.text() == "self" => methods
                    .iter()
                    .find(|(own, _)| *own == name)
                    .map(|(_, body)| *body),
                Some(_) => None,
                None => call.field(Field::Function).and_then(|name| code.function(name)),
            };
            found.extend(called.filter(|called| !found.contains(called)));
        }
    }
    found
}

/// Whether a function may give something else each time it is called.
fn changes(function: Node<'_>) -> bool {
    let words = function.all(&["identifier"]).into_iter().any(|word| {
        let word = word.text().to_lowercase();
        CHANGING.iter().any(|changing| word.contains(changing)) || CHANGING_METHODS.contains(&word.as_str())
    });
    let sets = function
        .all(&["assignment", "augmented_assignment"])
        .into_iter()
        .filter_map(|assignment| assignment.field(Field::Left))
        .any(|left| left.text().contains("self.") || left.text().contains("self["));
    let shares = !function
        .all(&["global_statement", "nonlocal_statement", "yield"])
        .is_empty();
    // An object that is called for what it does has a state.
    let unknown = function.all(&["call"]).into_iter().any(|call| {
        let alone = call
            .parent()
            .is_some_and(|parent| parent.is("expression_statement"));
        let of_self = call
            .method()
            .is_some_and(|(_, object)| object.text().starts_with("self."));
        alone && of_self
    });
    words || sets || shares || unknown
}

/// Whether an index is a slice with an end (`x[:n]`), or a number that a loop counts up to (`for i in range(n): x[i]`).
fn cuts(subscript: Node<'_>, moved: &HashSet<&str>) -> bool {
    let Some(index) = subscript.field(Field::Subscript) else {
        return false;
    };
    let counted = |index: Node<'_>| {
        index.is("identifier")
            && index.ancestors().any(|outer| {
                matches!(
                    outer.kind(),
                    "for_statement" | "for_in_clause" | "list_comprehension"
                ) && outer.text().contains(&format!("for {} in range(", index.text()))
            })
    };
    let slice = index.is("slice")
        && index
            .text()
            .split(':')
            .nth(1)
            .is_some_and(|end| !end.trim().is_empty() && !end.trim().starts_with('-'));
    let still = subscript
        .all(&["attribute"])
        .iter()
        .filter_map(|attribute| attribute.field(Field::Attribute))
        .all(|name| !index.contains(name) || !moved.contains(name.text()));
    (slice || counted(index)) && still
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(base: &str, body: &str, rest: &str) -> String {
        format!(
            "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\nclass Batches({base}):\n    def __init__(self, x, y, n):\n        \
             self.x, self.y, self.n = x, y, n\n        self.ids = np.arange(len(x))\n        self.i = 0\n    def __len__(self):\n        \
             return len(self.x) // self.n\n    def __getitem__(self, index):\n{body}\n{rest}"
        )
    }

    #[test]
    fn tables() {
        let keras = "keras.utils.Sequence";
        let same = "        return self.x[:self.n], self.y[:self.n]";
        let pass = [
            script(
                keras,
                "        return self.x[index * self.n:(index + 1) * self.n]",
                "",
            ),
            script(
                keras,
                "        ids = np.random.choice(self.ids, self.n)\n        return self.x[ids][:9]",
                "",
            ),
            script(
                keras,
                "        ids = self.pick()\n        return self.x[ids][:9]",
                "    def pick(self):\n        return np.random.randint(0, 9, self.n)",
            ),
            script(
                keras,
                "        self.i += 1\n        return self.x[self.i:self.i + self.n]",
                "",
            ),
            script(
                keras,
                "        a = self.i\n        return self.x[self.i:self.i + self.n]",
                "    def on_batch(self):\n        self.i += 1",
            ),
            script(keras, "        return self.x, self.y", ""),
            script(keras, "        return next(self.x)[:9]", ""),
            script(
                keras,
                "        return self.load(index)[:9]",
                "    def load(self, k):\n        return self.x[k:]",
            ),
            script("object", same, ""),
            script(keras, "        return self.x[:self.n]", "class Other:\n    pass")
                .replace("len(self.x) // self.n", "1"),
            script(
                keras,
                "        x = np.zeros(self.n)\n        for k in range(self.n):\n            x[k] = f(index, k)\n        return x",
                "",
            ),
        ];
        let fail = [
            (script(keras, same, ""), "self.x[:self.n]"),
            (script("tf.keras.utils.PyDataset", same, ""), "self.x[:self.n]"),
            (
                script(
                    keras,
                    "        ids = self.ids[0:self.n]\n        return self.load(ids)",
                    "    def load(self, ids):\n        return self.x[ids]\n    def on_epoch_end(self):\n        np.random.shuffle(self.ids)",
                ),
                "self.ids[0:self.n]",
            ),
            (
                script(
                    keras,
                    "        start = 0\n        return self.x[start:start + self.n]",
                    "",
                ),
                "self.x[start:start + self.n]",
            ),
            (
                script(
                    keras,
                    "        return np.array([self.x[i] for i in range(self.n)])",
                    "",
                ),
                "self.x[i]",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
