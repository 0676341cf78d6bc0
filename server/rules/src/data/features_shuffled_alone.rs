//! # features-shuffled-alone (DL418)
//!
//! ## What it does
//! Finds features that are put into a random order before `fit` while the labels stay in theirs.
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

use crate::context::Context;
use crate::read::{Data, compact, is_plain, is_unconditional};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL418",
    name: "features-shuffled-alone",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("features_shuffled_alone.rs"),
};

/// Calls that put the array they are given into a random order.
const IN_PLACE: [&str; 3] = ["np.random.shuffle(", "numpy.random.shuffle(", "random.shuffle("];

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
        {
            let message = format!(
                "`{name}` is put into a random order here and the labels are not, so every sample gets the label of another one; \
                 put both into the same order, or leave it to `fit`, which shuffles by itself"
            );
            findings.push(Finding {
                confidence: 0.93,
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

/// The one array that a call gives in a random order, as the value of `target`.
fn shuffled_argument<'t>(text: &str, value: &'t str, target: &str) -> Option<&'t str> {
    let plain = |name: &'t str| is_plain(name.trim()).map(str::trim);
    if let Some((name, rest)) = value.split_once(".sample(") {
        return plain(name).filter(|_| compact(rest).starts_with("frac=1"));
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
        "np.random.permutation" | "numpy.random.permutation" => name == target,
        _ => false,
    };
    gives.then_some(name)
}

/// Whether labels only ever go through slices and columns, and never through anything named here.
fn stay_in_order(y: &Data<'_>, names: &[&str]) -> bool {
    let keeps = |value: &str| {
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
            "import keras\nimport numpy as np\nx, y = load()\n{rest}\n\
             m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])\nm.compile('adam', 'mse')\n\
             m.fit(x, y)\n"
        )
    }

    #[test]
    fn tables() {
        let pass: Vec<String> = [
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
            (script("x = np.random.permutation(x)"), "np.random.permutation(x)"),
            (script("x = x.sample(frac=1.0)"), "x.sample(frac=1.0)"),
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
