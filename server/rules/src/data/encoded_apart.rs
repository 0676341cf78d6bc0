//! # encoded-apart (DL453)
//!
//! ## What it does
//! Finds classes and categories of the training and of the test data that are numbered each for itself: by two calls of
//! `pd.factorize`, two `astype("category").cat.codes`, or two `pd.get_dummies` that nothing brings to the same columns.
//!
//! ## Why it matters
//! `factorize` numbers in the order in which values appear, which is another one in the test data: the same class has two
//! numbers, and right predictions count as wrong. Codes of categories are in the order of the alphabet and differ as soon as a
//! value is missing in one of the parts, and then dummies have other columns.
//!
//! ## Example
//! ```python
//! import keras
//! import pandas as pd
//! y_train, names = pd.factorize(train["kind"])
//! y_test, _ = pd.factorize(test["kind"])
//! model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train, validation_data=(x_test, y_test))
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import pandas as pd
//! y_train, names = pd.factorize(train["kind"])
//! y_test = names.get_indexer(test["kind"])
//! model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
//! model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
//! model.fit(x_train, y_train, validation_data=(x_test, y_test))
//! ```
//!
//! ## Fix safety
//! No fix: the encoding of the training is to be kept and used again.
//!
//! ## References
//! - `pandas.factorize`: "codes … in order of appearance"

use finding::{Finding, Kind, RuleInfo, Severity};
use program::{Code, Field, Node};

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL453",
    name: "encoded-apart",
    kind: Kind::LabelEncoding,
    severity: Severity::Warning,
    source: include_str!("encoded_apart.rs"),
};

/// How values are numbered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In the order in which they appear.
    Appearance,
    /// In the order of the alphabet.
    Sorted,
    /// A column for each.
    Columns,
}

/// One encoding: where, how, and of what.
#[derive(Clone, Copy)]
struct Encoded<'a> {
    place: Node<'a>,
    way: Way,
    of: Node<'a>,
}

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let text = context.text;
    let hints = ["factorize(", ".cat.codes", "get_dummies("];
    if context.trainings.is_empty() || !hints.iter().any(|hint| text.contains(hint)) {
        return Vec::new();
    }
    let Some(code) = context.tree() else {
        return Vec::new();
    };
    let encoded: Vec<_> = code
        .root()
        .all(&["call", "attribute"])
        .into_iter()
        .filter_map(|node| encoded(code, node))
        .collect();
    let mut findings: Vec<Finding> = Vec::new();
    for (number, second) in encoded.iter().enumerate() {
        let first = encoded
            .iter()
            .take(number)
            .find(|first| first.way == second.way && are_parts(code, first.of, second.of));
        if first.is_none() && !is_over_parts(second.of) {
            continue;
        }
        // Columns that are brought into line, categories that are the same by decree.
        let aligned = match second.way {
            Way::Appearance => false,
            Way::Sorted => text.contains("categories"),
            Way::Columns => ["reindex", "align(", ".columns", "categories"]
                .iter()
                .any(|way| text.contains(way)),
        };
        if aligned {
            continue;
        }
        let of = second.of.text();
        let message = match second.way {
            Way::Appearance => format!(
                "`{of}` is numbered for itself, in the order in which its values appear, which is another one than in the training data: \
                 the same class has other numbers here, and what the network has learned does not fit them; number it as the training \
                 data is (`names.get_indexer(…)` with the second result of `factorize`)"
            ),
            Way::Sorted | Way::Columns => format!(
                "`{of}` is encoded for itself: where a value of the training data is missing in it, or it has one more, all that come after \
                 get another place; give both the same categories (`pd.Categorical(…, categories=…)`)"
            ),
        };
        let (severity, confidence) = match second.way {
            Way::Appearance => (INFO.severity, 0.93),
            _ => (Severity::Information, 0.7),
        };
        findings.push(Finding {
            severity,
            confidence,
            ..context.finding(&INFO, second.place.range(), message)
        });
    }
    findings
}

fn encoded<'a>(code: &Code<'a>, node: Node<'a>) -> Option<Encoded<'a>> {
    if node.is("attribute") {
        // `table["kind"].astype("category").cat.codes`
        let object = node
            .text()
            .ends_with(".cat.codes")
            .then(|| node.field(Field::Object))??;
        let (method, of) = object.field(Field::Object)?.method()?;
        let category =
            object.text().ends_with("(\"category\").cat") || object.text().ends_with("('category').cat");
        return (method == "astype" && category).then_some(Encoded {
            place: node,
            way: Way::Sorted,
            of,
        });
    }
    let sorts = node
        .arguments()
        .iter()
        .any(|(keyword, value)| *keyword == Some("sort") && value.text() == "True");
    let appearance = if sorts { Way::Sorted } else { Way::Appearance };
    let (way, of) = match code.callee(node).as_deref() {
        Some("pandas.factorize") => (appearance, node.argument("values", 0)?),
        Some("pandas.get_dummies") => (Way::Columns, node.argument("data", 0)?),
        _ => match node.method()? {
            ("factorize", object) => (appearance, object),
            _ => return None,
        },
    };
    Some(Encoded { place: node, way, of })
}

/// The name at the beginning of an expression.
fn base<'a>(node: Node<'a>) -> Option<Node<'a>> {
    node.all(&["identifier"])
        .first()
        .copied()
        .filter(|name| name.range().start == node.range().start)
}

/// Which part of the data a name says it is: the training, or something to judge by.
fn part(name: &str) -> Option<bool> {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split('_').collect();
    let has = |parts: &[&str]| {
        words.iter().any(|word| {
            parts
                .iter()
                .any(|part| word.ends_with(part) || word.starts_with(part))
        })
    };
    let (train, test) = (
        has(&["train"]),
        has(&["test", "valid", "holdout"]) || words.contains(&"val"),
    );
    (train != test).then_some(train)
}

/// Whether two expressions are the same of the training data and of the test data.
fn are_parts<'a>(code: &Code<'a>, first: Node<'a>, second: Node<'a>) -> bool {
    let (Some(one), Some(other)) = (base(first), base(second)) else {
        return false;
    };
    let rest = |node: Node<'a>, base: Node<'a>| node.text().get(base.text().len()..);
    if one.text() == other.text() || rest(first, one) != rest(second, other) {
        return false;
    }
    if let (Some(one), Some(other)) = (part(one.text()), part(other.text())) {
        return one != other;
    }
    // Both halves of one split.
    code.root().all(&["assignment"]).into_iter().any(|assignment| {
        let (Some(left), Some(right)) = (assignment.field(Field::Left), assignment.field(Field::Right))
        else {
            return false;
        };
        let targets: Vec<_> = left.children().iter().map(Node::text).collect();
        let at = |name: &str| targets.iter().position(|target| *target == name);
        let split = code
            .callee(right)
            .is_some_and(|callee| callee == "sklearn.model_selection.train_test_split");
        let pair = |one: usize, other: usize| one != other && one / 2 == other / 2;
        split
            && at(one.text())
                .zip(at(other.text()))
                .is_some_and(|(one, other)| pair(one, other))
    })
}

/// Whether an expression begins with the variable of a loop over the training and the test data.
fn is_over_parts(of: Node<'_>) -> bool {
    let Some(base) = base(of) else { return false };
    of.ancestors()
        .filter(|outer| outer.is("for_statement"))
        .any(|turn| {
            let own = turn
                .field(Field::Left)
                .is_some_and(|left| left.text() == base.text());
            let over = turn
                .field(Field::Right)
                .map(|over| over.bare().children())
                .unwrap_or_default();
            let parts: Vec<_> = over
                .iter()
                .filter(|part| part.is("identifier"))
                .map(|name| part(name.text()))
                .collect();
            own && parts.contains(&Some(true)) && parts.contains(&Some(false))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(lines: &str) -> String {
        format!(
            "import keras\nimport pandas as pd\nfrom sklearn.model_selection import train_test_split\ntrain, test = load()\na, b = train_test_split(table)\n{lines}\n\
             m = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(3, 'softmax')])\n\
             m.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n"
        )
    }

    #[test]
    fn tables() {
        let pass: Vec<String> = [
            "y, names = pd.factorize(train['k'])\nq = names.get_indexer(test['k'])",
            "table['k'] = pd.factorize(table['k'])[0]\ntrain, test = train_test_split(table)",
            "y, names = pd.factorize(train['k'])\nc, others = pd.factorize(train['c'])",
            "y = pd.factorize(train['k'])[0]\nq = pd.factorize(test['c'])[0]",
            "y = pd.get_dummies(train)\nq = pd.get_dummies(test).reindex(columns=y.columns, fill_value=0)",
            "y = pd.get_dummies(train)\nq = pd.get_dummies(test)\ny, q = y.align(q, join='left', axis=1)",
            "y = pd.Categorical(train['k'], categories=names).codes\nq = pd.Categorical(test['k'], categories=names).codes",
            "for table in (first, second):\n    table['k'] = pd.factorize(table['k'])[0]",
            "y = pd.factorize(cats['k'])[0]\nq = pd.factorize(dogs['k'])[0]",
        ]
        .iter()
        .map(|lines| script(lines))
        .collect();
        let fail = [
            (
                script("y, names = pd.factorize(train['k'])\nq, _ = pd.factorize(test['k'])"),
                "pd.factorize(test['k'])",
            ),
            (
                script("y = train.k.factorize()[0]\nq = test.k.factorize()[0]"),
                "test.k.factorize()",
            ),
            (
                script("y = pd.factorize(a['k'])[0]\nq = pd.factorize(b['k'])[0]"),
                "pd.factorize(b['k'])",
            ),
            (
                script("y = pd.factorize(y_train)[0]\nq = pd.factorize(y_val)[0]"),
                "pd.factorize(y_val)",
            ),
            (
                script("for part in (train, test):\n    part['k'] = pd.factorize(part['k'])[0]"),
                "pd.factorize(part['k'])",
            ),
            (
                script(
                    "y = train['k'].astype('category').cat.codes\nq = test['k'].astype('category').cat.codes",
                ),
                "test['k'].astype('category').cat.codes",
            ),
            (
                script("x = pd.get_dummies(train)\np = pd.get_dummies(test)"),
                "pd.get_dummies(test)",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
