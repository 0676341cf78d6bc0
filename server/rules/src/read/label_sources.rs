//! Labels as libraries make and encode them: the data sets and generators of scikit-learn, one-hot codes.

use super::data::{Encoding, compact, is_plain};
use super::label_values::{arguments, enclosed, largest};

/// Data sets of scikit-learn, with the largest class number that comes in them.
const LOADED: [(&str, i64); 5] = [
    // Numbered from 1.
    ("fetch_covtype", 7),
    ("load_iris", 2),
    ("load_wine", 2),
    ("load_breast_cancer", 1),
    ("load_digits", 9),
];

/// What makes samples: the argument that says how many classes, where it stands, and how many there are without it.
const MADE: [(&str, &str, usize, i64); 4] = [
    ("make_moons", "", usize::MAX, 2),
    ("make_circles", "", usize::MAX, 2),
    ("make_blobs", "centers", 2, 3),
    ("make_gaussian_quantiles", "n_classes", 4, 3),
];

/// Calls that give a column per class, and where their number of classes stands.
const ONE_HOT: [(&str, &str); 5] = [
    ("tf.one_hot(", "depth"),
    ("tensorflow.one_hot(", "depth"),
    ("keras.ops.one_hot(", "num_classes"),
    ("ops.one_hot(", "num_classes"),
    ("jax.nn.one_hot(", "num_classes"),
];

/// Tables of which a row is a one-hot code.
const IDENTITY: [&str; 4] = ["np.eye(", "numpy.eye(", "np.identity(", "numpy.identity("];

/// The labels in the place `index` (features, labels) of what makes samples with scikit-learn, or the attribute `target`
/// of what it loads; `text` is the script.
pub(super) fn of_scikit_learn(value: &str, index: Option<usize>, text: &str) -> Option<Encoding> {
    let value = compact(value);
    if index == Some(1)
        && let Some(largest) = made(&value)
    {
        return Some(Encoding::Numbers(Some(largest)));
    }
    LOADED.iter().find_map(|(load, largest)| {
        let pair =
            index == Some(1) && of(&value, load).is_some_and(|inside| inside.contains(&"return_X_y=True"));
        let of_object = target(&value).is_some_and(|object| {
            of(object, load).is_some_and(|inside| inside.is_empty())
                || (is_plain(object).is_some() && is_loaded(object, load, text))
        });
        (of_object || pair).then_some(Encoding::Numbers(Some(*largest)))
    })
}

/// Whether a variable is only ever what this loads, whole.
fn is_loaded(object: &str, load: &str, text: &str) -> bool {
    let assigned = format!("{object}=");
    let mut values = text.lines().filter_map(|line| {
        let line = compact(line);
        let value = line.strip_prefix(&assigned)?.split('#').next()?.to_owned();
        (!value.starts_with('=')).then_some(value)
    });
    let first = values.next();
    let loads = |value: String| of(&value, load).is_some_and(|inside| inside.is_empty());
    first.is_some_and(loads) && values.all(loads)
}

/// What stands before `.target` or `["target"]`.
fn target(value: &str) -> Option<&str> {
    [".target", "['target']", "[\"target\"]"]
        .iter()
        .find_map(|end| value.strip_suffix(end))
}

/// The arguments of a call of this function, under any name of its module.
fn of<'v>(value: &'v str, function: &str) -> Option<Vec<&'v str>> {
    let start = value.find('(')?;
    let (callee, call) = value.split_at(start);
    let name = callee.rsplit('.').next()?;
    (name == function && is_plain(callee).is_some())
        .then(|| enclosed(call, "("))
        .flatten()
        .map(arguments)
}

fn made(value: &str) -> Option<i64> {
    if let Some(arguments) = of(value, "make_classification") {
        return classes(&arguments, "n_classes", 5, 2).map(|classes| classes - 1);
    }
    let (arguments, (_, argument, place, usual)) = MADE
        .iter()
        .find_map(|source| Some((of(value, source.0)?, source)))?;
    // A list of numbers of samples says how many classes there are.
    if arguments
        .iter()
        .any(|argument| argument.trim_start_matches("n_samples=").starts_with(['[', '(']))
    {
        return None;
    }
    classes(&arguments, argument, *place, *usual).map(|classes| classes - 1)
}

/// The number of classes that arguments give, in a place or by a name; `None` where it is no plain number.
fn classes(arguments: &[&str], name: &str, place: usize, usual: i64) -> Option<i64> {
    if arguments.iter().any(|argument| argument.starts_with('*')) {
        return None;
    }
    let named = |argument: &&str| {
        argument
            .split_once('=')
            .filter(|(before, _)| *before == name)
            .map(|(_, value)| value.to_owned())
    };
    let by_name = arguments.iter().find_map(named);
    let by_place = arguments
        .get(place)
        .filter(|argument| !argument.contains('='))
        .map(|argument| (*argument).to_owned());
    match by_name.or(by_place) {
        Some(number) => number.parse().ok().filter(|classes| *classes > 1),
        None => Some(usual),
    }
}

/// Labels that are written as a column per class.
pub(super) fn one_hot(value: &str, text: &str) -> Option<Encoding> {
    let value = compact(value);
    if let Some(inside) = IDENTITY.iter().find_map(|table| row(&value, table)) {
        let classes = inside.split(',').next().and_then(|classes| classes.parse().ok());
        return Some(Encoding::OneHot(classes));
    }
    for (call, name) in ONE_HOT {
        if let Some(inside) = enclosed(&value, call) {
            let given = arguments(inside);
            if given.iter().any(|argument| argument.starts_with("axis=")) {
                return None;
            }
            let by_name = given
                .iter()
                .find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='));
            let classes = by_name
                .or_else(|| given.get(1).copied())
                .and_then(|classes| classes.parse().ok());
            return Some(Encoding::OneHot(classes));
        }
    }
    encoder(&value, text).then_some(Encoding::OneHot(None))
}

/// `np.eye(10)[labels]`: the arguments of the table.
fn row<'v>(value: &'v str, table: &str) -> Option<&'v str> {
    let (inside, index) = value.strip_prefix(table)?.split_once(")[")?;
    let labels = index.strip_suffix(']')?;
    (!inside.contains('(') && !labels.contains([':', ',']) && labels.parse::<i64>().is_err())
        .then_some(inside)
}

/// Labels made by an object of the class OneHotEncoder.
fn encoder(value: &str, text: &str) -> bool {
    let value = value.strip_suffix(".toarray()").unwrap_or(value);
    let Some((object, rest)) = value.split_once(".fit_transform(") else {
        return false;
    };
    let closed = enclosed(rest, "").is_some();
    let class = |made: &str| {
        made.split('(')
            .next()
            .is_some_and(|callee| callee.rsplit('.').next() == Some("OneHotEncoder"))
    };
    let assigned = format!("{object}=");
    let made_before = || {
        text.lines()
            .map(compact)
            .any(|line| line.strip_prefix(&assigned).is_some_and(class))
    };
    closed && (class(object) || (is_plain(object).is_some() && made_before()))
}

/// The largest class number of labels that are spelled out or made by scikit-learn.
pub(super) fn numbers(value: &str, index: Option<usize>, text: &str) -> Option<Encoding> {
    largest(value)
        .map(|largest| Encoding::Numbers(Some(largest)))
        .or_else(|| of_scikit_learn(value, index, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_scikit_learn() {
        let text = "d = load_iris()\ne = datasets.load_digits()\nf = load_digits(n_class=5)\ng = load_iris()\ng = other()\n";
        let largest = |value: &str, index| match of_scikit_learn(value, index, text) {
            Some(Encoding::Numbers(largest)) => largest,
            _ => None,
        };
        for (value, index, expected) in [
            ("d.target", Some(0), Some(2)),
            ("d['target']", Some(0), Some(2)),
            ("e.target", Some(0), Some(9)),
            ("load_wine().target", Some(0), Some(2)),
            ("f.target", Some(0), None),
            ("g.target", Some(0), None),
            ("d.data", Some(0), None),
            ("load_iris(return_X_y=True)", Some(1), Some(2)),
            ("load_iris(return_X_y=True)", Some(0), None),
            ("make_moons(200, noise=0.1)", Some(1), Some(1)),
            ("datasets.make_blobs(500, 2, 4)", Some(1), Some(3)),
            ("make_blobs(500, centers=4)", Some(1), Some(3)),
            ("make_blobs(n_samples=[100, 200])", Some(1), None),
            ("make_blobs(500, centers=points)", Some(1), None),
            ("make_classification(1000, 20, n_classes=4)", Some(1), Some(3)),
            ("make_classification(1000)", Some(1), Some(1)),
            ("make_classification(1000)", Some(0), None),
            ("make_classification(**options)", Some(1), None),
            ("make_regression(1000)", Some(1), None),
        ] {
            assert_eq!(largest(value, index), expected, "{value} {index:?}");
        }
    }

    #[test]
    fn one_hot_codes() {
        let text = "encoder = OneHotEncoder(sparse_output=False)\nscaler = StandardScaler()\n";
        for (value, expected) in [
            ("np.eye(10)[y]", Some(Encoding::OneHot(Some(10)))),
            ("np.eye(classes, dtype=int)[y]", Some(Encoding::OneHot(None))),
            ("np.eye(10)[:, y]", None),
            ("np.eye(10)[3]", None),
            ("tf.one_hot(y, 10)", Some(Encoding::OneHot(Some(10)))),
            ("tf.one_hot(y, depth=classes)", Some(Encoding::OneHot(None))),
            (
                "encoder.fit_transform(y.reshape(-1, 1))",
                Some(Encoding::OneHot(None)),
            ),
            (
                "OneHotEncoder().fit_transform(y).toarray()",
                Some(Encoding::OneHot(None)),
            ),
            ("scaler.fit_transform(y)", None),
            ("encoder.fit_transform(y) * 2", None),
        ] {
            assert_eq!(one_hot(value, text), expected, "{value}");
        }
    }
}
