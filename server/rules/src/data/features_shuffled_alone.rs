//! # features-shuffled-alone (DL418)
//!
//! ## What it does
//! Finds features that are put into a random order before `fit` while the labels stay in theirs, or are put into another
//! random order.
//!
//! ## Why it matters
//! After that, every sample has the label of another one, so there is nothing to learn: the loss stays near that of
//! guessing, and nothing else shows it.
//!
//! ## Example
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! x, y = load()
//! np.random.shuffle(x)
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import numpy as np
//! from keras import layers
//! x, y = load()
//! order = np.random.permutation(len(x))
//! x, y = x[order], y[order]
//! model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(x, y)
//! ```
//!
//! ## Fix safety
//! No fix: what else should be in the same order is not known. `fit` shuffles by itself.
//!
//! ## References
//! - TheDeepChecker (TOSEM 2023): unmatched features and labels

use finding::{Finding, Kind, Range, RuleInfo, Severity};
use program::Step;

use crate::context::Context;
use crate::read::{Data, compact, is_plain, is_unconditional};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL418",
    name: "features-shuffled-alone",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("features_shuffled_alone.rs"),
};

/// Calls that put the array they are given into a random order.
const IN_PLACE: [&str; 4] = [
    "np.random.shuffle(",
    "numpy.random.shuffle(",
    "random.shuffle(",
    "rng.shuffle(",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    // With a seed that is set again for each array, both get the same order.
    if context.text.matches("seed(").count() + context.text.matches("set_state(").count() > 1 {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for sets in context.sets() {
        let (Some(x), Some(y)) = (&sets.training.x, &sets.training.y) else {
            continue;
        };
        let fit = sets.training.call.range.start;
        if let Some((name, place)) = shuffled_in_place(context, x, y, fit)
            .or_else(|| permuted(context, x, y))
            .or_else(|| reordered(context, x, y))
            .or_else(|| shuffled_on_the_way(context, x, y, fit))
        {
            let message = format!(
                "`{name}` is put into a random order here and the labels are not, so every sample gets the label of another one; \
                 put both into the same order, or leave it to `fit`, which shuffles by itself"
            );
            findings.push(Finding {
                confidence: 0.95,
                ..context.finding(&INFO, place, message)
            });
        } else if let Some((features, labels, place)) =
            reordered_twice(context, x, y).or_else(|| shuffled_in_place_twice(context, x, y, fit))
        {
            let message = format!(
                "`{features}` and `{labels}` are put into two different random orders, so every sample gets the label of another \
                 one; put both into the same order with one call, or leave it to `fit`, which shuffles by itself"
            );
            findings.push(Finding {
                confidence: 0.95,
                ..context.finding(&INFO, place, message)
            });
        }
    }
    findings
}

/// Whether labels have nothing to do with a name, not even that they come from the same table.
fn apart(y: &Data<'_>, name: &str) -> bool {
    let own = y.range.slice(y.text());
    let reads = |value: &str| {
        value
            .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .any(|word| word == name)
    };
    is_plain(own).is_some()
        && !reads(own)
        && !y.values().any(reads)
        && !y
            .values()
            .any(|value| value.contains("zip(") || value.contains('['))
}

/// `np.random.shuffle(x)`, with `x` the features themselves.
fn shuffled_in_place<'t>(
    context: &Context<'t>,
    x: &Data<'_>,
    y: &Data<'_>,
    before: usize,
) -> Option<(&'t str, Range)> {
    let name = is_plain(x.range.slice(context.text)).filter(|name| !name.contains('.'))?;
    let labels = y.range.slice(context.text);
    let text = context.text.get(..before)?;
    let call = |maker: &str, name: &str| {
        let call = format!("{maker}{name})");
        text.find(&call).map(|at| Range::new(at, at + call.len()))
    };
    let place = IN_PLACE.iter().find_map(|maker| call(maker, name))?;
    // On a line of its own, outside any function or loop, and the labels are not shuffled in any way.
    let line = text.get(..place.start)?.rsplit('\n').next()?;
    let labels_stay = !IN_PLACE.iter().any(|maker| call(maker, labels).is_some());
    // What is made of the features afterwards has their order.
    let defined = x
        .last_change()
        .is_none_or(|step| step.change.statement.end <= place.start);
    let labels_made = y
        .last_change()
        .is_some_and(|step| step.change.statement.end <= place.start);
    (line.is_empty() && labels_stay && defined && labels_made && apart(y, name)).then_some((name, place))
}

/// `x = x[order]`, with `order` a permutation that the labels are never indexed by.
fn permuted<'t>(context: &Context<'t>, x: &Data<'_>, y: &Data<'_>) -> Option<(&'t str, Range)> {
    let text = context.text;
    x.steps.iter().find_map(|step| {
        let value = step.change.value.slice(text);
        let (name, rest) = value.split_once('[')?;
        let order = rest.strip_suffix(']')?;
        let plain = |name: &str| is_plain(name).is_some() && !name.contains('.');
        if !plain(name) || !plain(order) {
            return None;
        }
        let random = text.lines().any(|line| {
            let line = compact(line);
            line.starts_with(&format!("{order}=np.random.permutation("))
                || line.starts_with(&format!("{order}=numpy.random.permutation("))
                || line == format!("np.random.shuffle({order})")
        });
        // Used once, for the features.
        let once = text.matches(&format!("[{order}")).count() == 1 && text.matches(order).count() <= 3;
        (random && once && apart(y, name))
            .then(|| (value.get(..name.len()).unwrap_or(value), step.change.value))
    })
}

/// `x = shuffle(x)`: a call that gives the samples of one array in a random order.
fn reordered<'t>(context: &Context<'t>, x: &Data<'_>, y: &Data<'_>) -> Option<(&'t str, Range)> {
    let text = context.text;
    x.steps.iter().find_map(|step| {
        let change = step.change;
        let target = change.target.slice(text);
        let name = shuffled_argument(text, change.value.slice(text), target)?;
        let labels_made = y
            .last_change()
            .is_some_and(|made| made.change.statement.end <= change.statement.start);
        let stay = labels_made && stay_in_order(y, &[name, target]);
        (stay && is_unconditional(text, change.statement.start)).then_some((name, change.value))
    })
}

/// `x = shuffle(x, random_state=0)` and `y = shuffle(y, random_state=1)`.
fn reordered_twice<'t>(
    context: &Context<'t>,
    x: &Data<'_>,
    y: &Data<'_>,
) -> Option<(&'t str, &'t str, Range)> {
    let text = context.text;
    let shuffles = |data: &Data<'_>| -> Vec<(&'t str, &'t str, Range)> {
        let changes = data.steps.iter().map(|step| step.change);
        let found = changes.filter(|change| is_unconditional(text, change.statement.start));
        found
            .filter_map(|change| {
                let value = change.value.slice(text);
                // Rows of a table keep their names, by which they may be joined again.
                let name = shuffled_argument(text, value, change.target.slice(text)).filter(|_| {
                    !value.contains(".sample(") && !value.contains("tf.") && !value.contains('[')
                })?;
                Some((name, value, change.value))
            })
            .collect()
    };
    let (features, labels) = (shuffles(x), shuffles(y));
    // Several shuffles of one array may undo each other's difference.
    let ([(features, first, _)], [(labels, second, place)]) = (&features[..], &labels[..]) else {
        return None;
    };
    (features != labels && orders_differ(text, first, second)).then_some((*features, *labels, *place))
}

/// Whether two calls cannot give the same order: their seeds differ, or they draw from one generator after the other.
fn orders_differ(text: &str, first: &str, second: &str) -> bool {
    let callee = |call: &str| call.split('(').next().unwrap_or_default().to_owned();
    if callee(first) != callee(second) || draws_again(text) {
        return false;
    }
    let seed = |call: &str| {
        let call = compact(call);
        let (_, rest) = call.split_once("random_state=")?;
        Some(
            rest.trim_end_matches(')')
                .split(',')
                .next()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let number = |seed: &str| seed.bytes().all(|byte| byte.is_ascii_digit());
    match (seed(first), seed(second)) {
        (None, None) => true,
        (Some(first), Some(second)) => first != second && number(&first) && number(&second),
        (Some(seed), None) | (None, Some(seed)) => number(&seed),
    }
}

/// Whether two draws of a script may be the same: it makes several generators, or takes one back to where it was.
fn draws_again(text: &str) -> bool {
    let makers = ["default_rng(", "RandomState(", "Random("];
    let generators: usize = makers.iter().map(|maker| text.matches(maker).count()).sum();
    let restored = ["set_state(", "setstate(", "bit_generator"];
    generators > 1 || restored.iter().any(|call| text.contains(call))
}

/// `np.random.shuffle(x)` and `np.random.shuffle(y)`, with the features and labels themselves.
fn shuffled_in_place_twice<'t>(
    context: &Context<'t>,
    x: &Data<'_>,
    y: &Data<'_>,
    before: usize,
) -> Option<(&'t str, &'t str, Range)> {
    let text = context.text.get(..before)?;
    let plain = |data: &Data<'_>| is_plain(data.range.slice(context.text)).filter(|name| !name.contains('.'));
    let (features, labels) = (plain(x)?, plain(y)?);
    if features == labels || draws_again(context.text) {
        return None;
    }
    // On lines of their own, outside any function or loop, once each, of what is not made anew afterwards.
    let call = |maker: &str, name: &str, data: &Data<'_>| {
        let call = format!("{maker}{name})");
        let mut at = 0;
        let mut starts = text.split_inclusive('\n').filter_map(|line| {
            let start = at;
            at += line.len();
            let code = line.split('#').next().unwrap_or_default();
            (code.trim_end() == call).then_some(start)
        });
        let start = starts.next().filter(|_| starts.next().is_none())?;
        let made = data.last_change()?.change.statement.end;
        (made <= start).then(|| Range::new(start, start + call.len()))
    };
    IN_PLACE.iter().find_map(|maker| {
        call(maker, features, x)?;
        let place = call(maker, labels, y)?;
        Some((features, labels, place))
    })
}

/// The one array that a call gives in a random order, as the value of `target`.
fn shuffled_argument<'t>(text: &str, value: &'t str, target: &str) -> Option<&'t str> {
    let plain = |name: &'t str| is_plain(name.trim()).map(str::trim);
    if let Some((name, rest)) = value.split_once(".sample(") {
        return plain(name).filter(|_| compact(rest).starts_with("frac=1"));
    }
    if let Some((name, index)) = value.split_once('[') {
        let drawn = ["np.random.permutation(len(", "numpy.random.permutation(len("]
            .iter()
            .find_map(|call| compact(index).strip_prefix(call).map(str::to_owned));
        return plain(name).filter(|name| drawn.is_some_and(|rest| rest == format!("{name}))]")));
    }
    let (callee, arguments) = value.split_once('(')?;
    let mut arguments = arguments.strip_suffix(')')?.split(',');
    let name = plain(arguments.next()?)?;
    if !arguments.all(|argument| argument.contains('=') || argument.trim().is_empty()) {
        return None;
    }
    let gives = match callee {
        "shuffle" => text
            .lines()
            .any(|line| line.contains("sklearn.utils import") && line.contains("shuffle")),
        "sklearn.utils.shuffle" | "tf.random.shuffle" | "tensorflow.random.shuffle" => true,
        "utils.shuffle" => text.contains("from sklearn import utils"),
        // Of a number, this is an order.
        _ if callee.ends_with(".permutation") => name == target,
        _ => false,
    };
    gives.then_some(name)
}

/// `np.random.shuffle(x)`, with `x` what the features are taken from afterwards.
fn shuffled_on_the_way<'t>(
    context: &Context<'t>,
    x: &Data<'_>,
    y: &Data<'_>,
    before: usize,
) -> Option<(&'t str, Range)> {
    let text = context.text;
    let labels_made = y.last_change()?.change.statement.end;
    let mut at = 0;
    for line in text.get(..before)?.split_inclusive('\n') {
        let (start, code) = (at, line.trim_end());
        at += line.len();
        let Some(name) = IN_PLACE
            .iter()
            .find_map(|maker| code.strip_prefix(maker)?.strip_suffix(')'))
            .filter(|name| is_plain(name).is_some() && !name.contains('.'))
        else {
            continue;
        };
        let end = start + code.len();
        // The value that the name has here, and what is made of it, as far as it goes into the training.
        let is_value =
            |step: &Step| step.change.target.slice(text) == name && step.change.statement.end <= start;
        let Some(place) = x.steps.iter().position(is_value) else {
            continue;
        };
        let used_after = x
            .steps
            .iter()
            .take(place)
            .all(|step| step.change.statement.start >= end);
        if place > 0 && used_after && labels_made <= start && stay_in_order(y, &[name]) {
            let labels: Vec<&str> = y
                .steps
                .iter()
                .map(|step| step.change.target.slice(text))
                .collect();
            let labels_too = IN_PLACE.iter().any(|maker| {
                labels
                    .iter()
                    .any(|label| text.contains(&format!("{maker}{label})")))
            });
            return (!labels_too).then_some((name, Range::new(start, end)));
        }
    }
    None
}

/// Whether labels only ever go through slices and columns, and never through anything named here.
fn stay_in_order(y: &Data<'_>, names: &[&str]) -> bool {
    let keeps = |value: &str| {
        // Both halves of a split are followed for themselves.
        if value.contains("train_test_split(") {
            return !value.contains('[');
        }
        let mut words = value.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        let shuffles = [
            "shuffle", "permut", "zip(", "sample(", "argsort", "order", "take(",
        ];
        let indices = value.split('[').skip(1).filter_map(|part| part.split(']').next());
        !words.any(|word| names.contains(&word))
            && !shuffles.iter().any(|shuffle| value.contains(shuffle))
            && indices
                .into_iter()
                .all(|index| index.contains(':') || index.starts_with(['"', '\'']))
    };
    keeps(y.range.slice(y.text())) && y.values().all(keeps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(rest: &str) -> String {
        format!(
            "import keras\nimport numpy as np\nfrom sklearn.model_selection import train_test_split\nx, y = load()\n{rest}\n\
             m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\nm.compile('adam', 'mse')\n\
             m.fit(x, y)\n"
        )
    }

    #[test]
    fn tables() {
        let pass: Vec<String> = [
            "from sklearn.utils import shuffle\nx = shuffle(x, random_state=s)\ny = shuffle(y, random_state=t)",
            "a = np.random.RandomState(1)\nb = np.random.RandomState(1)\na.shuffle(x)\nb.shuffle(y)",
            "rng = np.random.default_rng(0)\nx = rng.permutation(x)\nrng = np.random.default_rng(0)\ny = rng.permutation(y)",
            "np.random.shuffle(x)\nnp.random.shuffle(y)\nx, y = load()",
            "np.random.shuffle(x)\nnp.random.shuffle(y)\nnp.random.shuffle(y)",
            "state = np.random.get_state()\nnp.random.shuffle(x)\nnp.random.set_state(state)\nnp.random.shuffle(y)",
            "order = np.random.permutation(len(x))\nx, y = x[order], y[order]",
            "order = np.random.permutation(len(x))\nx = x[order]\ny = y[order]",
            "np.random.shuffle(x)\ny = f(x)",
            "np.random.seed(1)\nnp.random.shuffle(x)\nnp.random.seed(1)\nnp.random.shuffle(y)",
            "np.random.shuffle(data)\nx = data[:, :8]\ny = data[:, 8]",
            "order = np.random.permutation(len(x))\nx = np.take(x, order)\ny = np.take(y, order)",
            "from sklearn.utils import shuffle\nx, y = shuffle(x, y, random_state=1)",
            "from sklearn.utils import shuffle\nx = shuffle(x, random_state=1)\ny = shuffle(y, random_state=1)",
            "from sklearn.utils import shuffle\nd = shuffle(d)\nx = d[:, :8]\ny = d[:, 8]",
            "from mine import shuffle\nx = shuffle(x)",
            "from sklearn.utils import shuffle\nx = shuffle(x)\ny = label(x)",
            "x = x.sample(frac=1)\ny = y.loc[x.index]",
            "order = np.random.permutation(n)\nx = x[order]\ny = y[order]",
            "d = load()\nnp.random.shuffle(d)\nx = d[:, :8]\ny = d[:, 8]",
            "a = x\nb = y\nnp.random.seed(1)\nnp.random.shuffle(a)\nnp.random.set_state(s)\nnp.random.shuffle(b)\nx = a[:9]\ny = b[:9]",
            "d = load()\nx = d[:, :8]\ny = d[:, 8]\nnp.random.shuffle(d)",
            "order = np.random.permutation(len(x))[:100]\nx = x[order]\ny = np.array([y[i] for i in order])",
        ]
        .iter()
        .map(|rest| script(rest))
        .collect();
        let fail = [
            (
                script(
                    "from sklearn.utils import shuffle\nx = shuffle(x, random_state=1)\nx = x[:90]\ny = y[:90]",
                ),
                "shuffle(x, random_state=1)",
            ),
            (
                script(
                    "from sklearn.utils import shuffle\nx = shuffle(x, random_state=1)\ny = shuffle(y, random_state=2)\nx = x[:90]\ny = y[:90]",
                ),
                "shuffle(y, random_state=2)",
            ),
            (
                script("from sklearn.utils import shuffle\nx = shuffle(x)\ny = shuffle(y)"),
                "shuffle(y)",
            ),
            (
                script("rng = np.random.default_rng(0)\nx = rng.permutation(x)\ny = rng.permutation(y)"),
                "rng.permutation(y)",
            ),
            (
                script("np.random.seed(1)\nnp.random.shuffle(x)\nnp.random.shuffle(y)"),
                "np.random.shuffle(y)",
            ),
            (
                script("np.random.shuffle(x)  # rows\nnp.random.shuffle(y)  # labels"),
                "np.random.shuffle(y)",
            ),
            (script("x = np.random.permutation(x)"), "np.random.permutation(x)"),
            (script("x = x.sample(frac=1.0)"), "x.sample(frac=1.0)"),
            (
                script("x = x[np.random.permutation(len(x))]"),
                "x[np.random.permutation(len(x))]",
            ),
            (
                script(
                    "from sklearn.utils import shuffle\nx = shuffle(x)\nx, p, y, q = train_test_split(x, y)",
                ),
                "shuffle(x)",
            ),
            (script("x = rng.permutation(x)"), "rng.permutation(x)"),
            (
                script("np.random.shuffle(x)\nx = x[:90]\ny = y[:90]"),
                "np.random.shuffle(x)",
            ),
            (script("np.random.shuffle(x)"), "np.random.shuffle(x)"),
            (
                script("order = np.random.permutation(len(x))\nx = x[order]"),
                "x[order]",
            ),
            (
                script(
                    "i = np.arange(9)\nindices = np.arange(len(x))\nnp.random.shuffle(indices)\nx = x[indices]",
                ),
                "x[indices]",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
