//! # shuffled-apart (DL451)
//!
//! ## What it does
//! Finds features and labels that are each put into a random order of their own: by two calls of `shuffle`, `permutation`
//! or `sample`, or as two data sets that are shuffled before `Dataset.zip` joins them.
//!
//! ## Why it matters
//! Every sample then has the label of another one, so there is nothing to learn: the loss stays near that of guessing, and
//! nothing else shows it.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! x_train, y_train = load()
//! np.random.shuffle(x_train)
//! np.random.shuffle(y_train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! x_train, y_train = load()
//! order = np.random.permutation(len(x_train))
//! x_train, y_train = x_train[order], y_train[order]
//! ```
//!
//! ## Fix safety
//! No fix: what else should be in the same order is not known.
//!
//! ## References
//! - TheDeepChecker (TOSEM 2023): unmatched features and labels

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Code, Field, Node};

use crate::context::Context;
use crate::read::{Data, is_unconditional};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL451",
    name: "shuffled-apart",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("shuffled_apart.rs"),
};

/// One array, or data set, that is put into a random order.
#[derive(Clone, Copy)]
struct Shuffled<'a> {
    call: Node<'a>,
    /// The name whose values get another order.
    name: &'a str,
    /// What fixes the order, as written.
    seed: Option<&'a str>,
}

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mentions = |word: &str| context.text.matches(word).count();
    if mentions("shuffle") + mentions("permutation") + mentions("sample(") < 2 {
        return Vec::new();
    }
    // Where the arrays are seen to go into a `fit`, the same is said there.
    if !super::features_shuffled_alone::check(context).is_empty() {
        return Vec::new();
    }
    let Some(code) = context.tree() else {
        return Vec::new();
    };
    let calls = code.root().all(&["call"]);
    let zipped = calls.iter().find_map(|call| zipped(code, *call));
    let found = zipped.or_else(|| {
        let shuffled: Vec<_> = calls.iter().filter_map(|call| shuffled(code, *call)).collect();
        shuffled.iter().enumerate().find_map(|(at, first)| {
            let next = shuffled.get(at + 1..)?.iter();
            let second = next
                .into_iter()
                .find(|second| apart(context, code, *first, **second))?;
            Some((*first, *second))
        })
    });
    let finding = found.map(|(first, second)| {
        let message = format!(
            "`{}` and `{}` are each put into a random order of their own, so every sample gets the label of another one; put both \
             into the same order (`order = np.random.permutation(n)`, `x[order]`, `y[order]`), or shuffle them together",
            first.name, second.name
        );
        Finding {
            confidence: 0.95,
            ..context.finding(&INFO, second.call.range(), message)
        }
    });
    finding.into_iter().collect()
}

/// Whether a name is that of labels.
fn is_label(name: &str) -> bool {
    let name = name.to_lowercase();
    let words = name.split(|letter: char| !letter.is_alphabetic());
    words.filter(|word| !word.is_empty()).any(|word| {
        matches!(word, "y" | "ys" | "lab" | "labs" | "lbl" | "lbls")
            || word.contains("label")
            || word.contains("target")
            || word.starts_with("ytr")
            || word.starts_with("yte")
    })
}

/// Whether two names belong together as features and labels.
fn are_pair(context: &Context<'_>, first: &str, second: &str) -> bool {
    if is_label(first) != is_label(second) {
        // `train_x` with `test_y` are of different sets.
        let part = |name: &str| {
            let name = name.to_lowercase();
            ["test", "val", "train"]
                .iter()
                .position(|part| name.contains(part))
        };
        return part(first) == part(second);
    }
    let reads = |data: &Option<Data<'_>>, name: &str| {
        data.as_ref().is_some_and(|data| {
            data.range.slice(context.text) == name
                || data
                    .steps
                    .iter()
                    .any(|step| step.change.target.slice(context.text) == name)
        })
    };
    context.training_sets().any(|sets| {
        let (x, y) = (&sets.training.x, &sets.training.y);
        (reads(x, first) && reads(y, second) || reads(x, second) && reads(y, first))
            && !(reads(x, first) && reads(y, first))
            && !(reads(x, second) && reads(y, second))
    })
}

/// Whether two arrays that are shuffled are features and their labels, and nothing makes the orders the same.
fn apart<'a>(context: &Context<'a>, code: &Code<'a>, first: Shuffled<'a>, second: Shuffled<'a>) -> bool {
    let (one, other) = (first.call.statement(), second.call.statement());
    if first.name == second.name || one.parent() != other.parent() {
        return false;
    }
    if first.seed.is_some() && first.seed == second.seed {
        return false;
    }
    // With a seed that is set again, or a generator that is made again, both get the same order.
    let Some(between) = context.text.get(one.range().end..other.range().start) else {
        return false;
    };
    let again = ["seed", "state", "default_rng(", "RandomState(", "Random("];
    if again.iter().any(|word| between.contains(word)) {
        return false;
    }
    // Generators of their own, made with the same seed.
    let generator = |shuffled: Shuffled<'a>| {
        let (_, object) = shuffled.call.method()?;
        Some((object, code.value(object)?))
    };
    if let (Some(first), Some(second)) = (generator(first), generator(second))
        && (first.0.is("call") || first.0.text() != second.0.text())
        && first.1.text() == second.1.text()
    {
        return false;
    }
    are_pair(context, first.name, second.name) && is_unconditional(context.text, one.range().start)
        // What is made of the first one afterwards has its order: then it is not apart.
        && !between.contains(&format!("{} =", second.name))
}

fn seed<'a>(call: Node<'a>) -> Option<&'a str> {
    call.arguments()
        .into_iter()
        .find(|(keyword, _)| matches!(keyword, Some("random_state" | "seed")))
        .map(|(_, value)| value.text())
}

/// The only positional argument of a call, where it is a name.
fn only_name<'a>(call: Node<'a>) -> Option<&'a str> {
    let arguments = call.arguments();
    let mut places = arguments.iter().filter(|(keyword, _)| keyword.is_none());
    let (_, value) = places.next()?;
    (places.next().is_none() && value.is("identifier")).then_some(value.text())
}

/// The name that the value of a statement is assigned to.
fn assigned<'a>(value: Node<'a>) -> Option<&'a str> {
    let parent = value.parent()?;
    let whole = parent.is("assignment") && parent.field(Field::Right) == Some(value);
    whole
        .then(|| parent.field(Field::Left))?
        .filter(|left| left.is("identifier"))
        .map(|left| left.text())
}

/// An array that a call puts into a random order.
fn shuffled<'a>(code: &Code<'a>, call: Node<'a>) -> Option<Shuffled<'a>> {
    let given = |name: &'a str| {
        Some(Shuffled {
            call,
            name,
            seed: seed(call),
        })
    };
    let alone = call
        .parent()
        .is_some_and(|parent| parent.is("expression_statement"));
    let path = code.callee(call).unwrap_or_default();
    // A generator: `rng = np.random.default_rng(0)`.
    let generator = call.method().filter(|(_, object)| {
        let made = || code.callee(code.value(*object)?);
        made().is_some_and(|made| {
            matches!(
                made.as_str(),
                "numpy.random.default_rng"
                    | "numpy.random.RandomState"
                    | "numpy.random.Generator"
                    | "random.Random"
            )
        })
    });
    let method = generator.map_or("", |(method, _)| method);
    if matches!(path.as_str(), "numpy.random.shuffle" | "random.shuffle") || method == "shuffle" {
        return given(only_name(call)?).filter(|_| alone);
    }
    let gives = matches!(
        path.as_str(),
        "sklearn.utils.shuffle" | "tensorflow.random.shuffle" | "numpy.random.permutation"
    ) || method == "permutation";
    if gives {
        // `x[np.random.permutation(len(x))]`
        if path.ends_with("permutation") || method == "permutation" {
            let subscript = call
                .parent()
                .filter(|parent| parent.is("subscript") && parent.field(Field::Subscript) == Some(call));
            if let Some(subscript) = subscript {
                let name = subscript
                    .field(Field::Value)
                    .filter(|value| value.is("identifier"))?;
                assigned(subscript)?;
                return given(name.text());
            }
        }
        let name = only_name(call)?;
        let target = assigned(call)?;
        // Of a number, a permutation is an order.
        let order = (path.ends_with("permutation") || method == "permutation") && target != name;
        return given(name).filter(|_| !order);
    }
    // `x = x.sample(frac=1)`
    let (method, object) = call.method()?;
    let whole = method == "sample"
        && call
            .argument("frac", 9)
            .is_some_and(|frac| matches!(frac.text(), "1" | "1.0" | "1."));
    let name = object.is("identifier").then_some(object.text())?;
    (whole && assigned(call) == Some(name)).then(|| given(name))?
}

/// The two parts of `Dataset.zip((x, y))` that are shuffled each for itself.
fn zipped<'a>(code: &Code<'a>, call: Node<'a>) -> Option<(Shuffled<'a>, Shuffled<'a>)> {
    if code.callee(call)? != "tensorflow.data.Dataset.zip" {
        return None;
    }
    let arguments: Vec<_> = call.arguments().into_iter().map(|(_, value)| value).collect();
    let parts = match arguments.as_slice() {
        [one] => one.bare().children(),
        several => several.to_vec(),
    };
    let [x, y] = parts.as_slice() else { return None };
    let (x, y) = (part(code, *x)?, part(code, *y)?);
    let same = x.seed.is_some() && x.seed == y.seed;
    (!same && is_label(y.name) && !is_label(x.name)).then_some((x, y))
}

/// A data set of one array that is shuffled, with the name of the set or the array.
fn part<'a>(code: &Code<'a>, node: Node<'a>) -> Option<Shuffled<'a>> {
    const LONGEST: usize = 16;
    let mut shuffled: Option<Node<'a>> = None;
    let mut name = None;
    let mut node = node.bare();
    let mut before = node.range().start;
    for _ in 0..LONGEST {
        if node.is("identifier") {
            name = name.or(Some(node.text()));
            // The last assignment before, in the same function.
            let scope = node.function().unwrap_or_else(|| code.root());
            let assignment = scope.all(&["assignment"]).into_iter().rev().find(|assignment| {
                assignment.range().end <= before
                    && assignment.function() == node.function()
                    && assignment
                        .field(Field::Left)
                        .is_some_and(|left| left.text() == node.text())
            })?;
            before = assignment.range().start;
            node = assignment.field(Field::Right)?.bare();
            continue;
        }
        let (method, object) = node.method()?;
        if matches!(method, "from_tensor_slices" | "from_tensors") {
            let array = node.arguments().first()?.1.bare();
            if !matches!(array.kind(), "identifier" | "attribute" | "subscript") {
                return None;
            }
            let name = if is_label(array.text()) {
                Some(array.text())
            } else {
                name.or(Some(array.text()))
            };
            let call = shuffled?;
            return Some(Shuffled {
                call,
                name: name?,
                seed: seed(call).or_else(|| call.argument("seed", 1).map(|seed| seed.text())),
            });
        }
        if method == "shuffle" {
            shuffled = shuffled.or(Some(node));
        }
        node = object.bare();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(rest: &str) -> String {
        format!(
            "import random\nimport numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\nfrom sklearn.utils import shuffle\n\
             rng = np.random.default_rng(1)\nX, y = load()\na, b = load()\n{rest}\n"
        )
    }

    #[test]
    fn tables() {
        let fit = "\n    m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\n    m.compile('adam', 'mse')\n    m.fit(a, b)\n";
        let zip = "\nds = tf.data.Dataset.zip((xs, ys))";
        let pass: Vec<String> = [
            "X, y = shuffle(X, y)",
            "order = rng.permutation(len(X))\nX, y = X[order], y[order]",
            "np.random.seed(1)\nnp.random.shuffle(X)\nnp.random.seed(1)\nnp.random.shuffle(y)",
            "state = np.random.get_state()\nnp.random.shuffle(X)\nnp.random.set_state(state)\nnp.random.shuffle(y)",
            "X = shuffle(X, random_state=1)\ny = shuffle(y, random_state=1)",
            "np.random.RandomState(3).shuffle(X)\nnp.random.RandomState(3).shuffle(y)",
            "r1 = np.random.RandomState(3)\nr2 = np.random.RandomState(3)\nr1.shuffle(X)\nr2.shuffle(y)",
            "random.shuffle(a)\nrandom.shuffle(b)",
            "rng.shuffle(x_train)\nrng.shuffle(y_test)",
            "X = X.sample(frac=1)\ny = y.loc[X.index]",
            &format!("xs = tf.data.Dataset.from_tensor_slices(X)\nys = tf.data.Dataset.from_tensor_slices(y){zip}.shuffle(9)"),
            &format!("xs = tf.data.Dataset.from_tensor_slices(X).shuffle(9, seed=1)\nys = tf.data.Dataset.from_tensor_slices(y).shuffle(9, seed=1){zip}"),
            "ds = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(horses).shuffle(9), tf.data.Dataset.from_tensor_slices(zebras).shuffle(9)))",
            "one = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(9)\ntwo = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(9)\nds = tf.data.Dataset.zip((one, two))",
        ]
        .iter()
        .map(|rest| script(rest))
        .collect();
        let fail = [
            (
                script("np.random.shuffle(X)\nnp.random.shuffle(y)"),
                "np.random.shuffle(y)",
            ),
            (script("rng.shuffle(X)\nrng.shuffle(y)"), "rng.shuffle(y)"),
            (
                script(&format!(
                    "def run(a, b):\n    random.shuffle(a)\n    random.shuffle(b){fit}"
                )),
                "random.shuffle(b)",
            ),
            (
                script("X = shuffle(X, random_state=0)\ny = shuffle(y, random_state=1)"),
                "shuffle(y, random_state=1)",
            ),
            (script("X = shuffle(X)\ny = shuffle(y)"), "shuffle(y)"),
            (
                script(
                    "def f(images, labels):\n    images = np.random.permutation(images)\n    labels = np.random.permutation(labels)\n    return images, labels",
                ),
                "np.random.permutation(labels)",
            ),
            (
                script("X = X[np.random.permutation(len(X))]\ny = y[np.random.permutation(len(y))]"),
                "np.random.permutation(len(y))",
            ),
            (
                script("X = X.sample(frac=1)\ny = y.sample(frac=1)"),
                "y.sample(frac=1)",
            ),
            (
                script(&format!(
                    "xs = tf.data.Dataset.from_tensor_slices(X).shuffle(9)\nys = tf.data.Dataset.from_tensor_slices(y).shuffle(9){zip}"
                )),
                "tf.data.Dataset.from_tensor_slices(y).shuffle(9)",
            ),
            (
                script(&format!(
                    "xs = tf.data.Dataset.from_tensor_slices(X)\nys = tf.data.Dataset.from_tensor_slices(y)\nif train:\n    xs = xs.shuffle(9)\n    ys = ys.shuffle(9){zip}"
                )),
                "ys.shuffle(9)",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
