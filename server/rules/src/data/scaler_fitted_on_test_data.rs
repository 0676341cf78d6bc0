//! # scaler-fitted-on-test-data (DL410)
//!
//! ## What it does
//! Finds scalers that are fitted again to the test data (`scaler.fit_transform(X_test)`), test data with a scaler of
//! their own (`StandardScaler().fit_transform(X_test)`), and encoders that are fitted again to the features or labels of
//! the test (`LabelEncoder`, `OrdinalEncoder`, …).
//!
//! ## Why it matters
//! The test data is then scaled by its own mean and range, not by those the network was trained with: the same
//! measurement means one number in training and another in the test. An encoder numbers what it is fitted to in order:
//! where a class does not occur in the test data, all classes behind it get other numbers than in training, and right
//! predictions count as wrong.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.preprocessing import StandardScaler
//! scaler = StandardScaler()
//! X_train = scaler.fit_transform(X_train)
//! X_test = scaler.fit_transform(X_test)
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(X_train, y_train)
//! model.evaluate(X_test, y_test)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.preprocessing import StandardScaler
//! scaler = StandardScaler()
//! X_train = scaler.fit_transform(X_train)
//! X_test = scaler.transform(X_test)
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(X_train, y_train)
//! model.evaluate(X_test, y_test)
//! ```
//!
//! ## Fix safety
//! Safe where the same scaler or encoder was fitted to the training data: its own numbers are used again. No fix where the scaler
//! has no name.
//!
//! ## References
//! - scikit-learn: Common pitfalls, inconsistent preprocessing

use crate::context::Context;
use crate::read::{Data, class_of, is_encoder, is_plain, is_scaler};
use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};
use program::Step;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL410",
    name: "scaler-fitted-on-test-data",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("scaler_fitted_on_test_data.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = scaled_again(context);
    findings.extend(encoded_again(context));
    findings
}

fn scaled_again(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(train) = sets.training.x.as_ref() else {
            continue;
        };
        let fresh = unnamed(context, train);
        let scaler = match (fitted(context, train), fresh) {
            (Some(scaler), _) => scaler,
            // Values that are scaled before they are split have one scaler.
            (None, Some(class)) => (
                class,
                train.last_change().map_or(train.range, |step| step.change.value),
            ),
            (None, None) => continue,
        };
        for other in &sets.others {
            let Some(x) = other.x.as_ref() else { continue };
            let own = unnamed(context, x).filter(|_| x.last_change() != train.last_change());
            if let Some(class) = own {
                let message = format!(
                    "a `{class}` of their own scales the test data by other numbers than the network has learned with. Fit one scaler to \
                     the training data and use its `transform` here"
                );
                findings.push(Finding {
                    confidence: 0.9,
                    ..context.finding(
                        &INFO,
                        x.last_change().map_or(x.range, |step| step.change.value),
                        message,
                    )
                });
                continue;
            }
            let again = fitted(context, x).filter(|again| again.0 == scaler.0 && again.1 != scaler.1);
            let Some((name, place)) = again else { continue };
            let message = format!(
                "`{name}` is fitted to the training data already; fitted again here, it scales the test data by other numbers than \
                 the network has learned with. Use `{name}.transform`"
            );
            let fix = context.fix("Use the scaler as it is", Applicability::Safe, place, "transform");
            findings.push(Finding {
                confidence: 0.93,
                fixes: vec![fix],
                ..context.finding(&INFO, place, message)
            });
        }
    }
    findings
}

/// Functions that compare labels with predictions, the labels first.
const JUDGES: [&str; 8] = [
    "accuracy_score(",
    "balanced_accuracy_score(",
    "classification_report(",
    "confusion_matrix(",
    "f1_score(",
    "precision_score(",
    "recall_score(",
    "cohen_kappa_score(",
];

/// Encoders that are fitted to what is trained on, and again to what that is judged by.
fn encoded_again(context: &Context<'_>) -> Vec<Finding> {
    let text = context.text;
    // Most scripts have no encoder.
    if text.matches("fit_transform(").count() < 2 || !text.contains("Encoder") && !text.contains("Binarizer")
    {
        return Vec::new();
    }
    let judged = judged_labels(context);
    let mut findings: Vec<Finding> = Vec::new();
    for sets in context.sets() {
        let steps =
            |data: &Option<Data<'_>>| data.as_ref().map(|data| data.steps.clone()).unwrap_or_default();
        let (x, y) = (steps(&sets.training.x), steps(&sets.training.y));
        let mut pairs = Vec::new();
        for other in &sets.others {
            let severity = if other.call.class() == "predict" {
                Severity::Information
            } else {
                Severity::Warning
            };
            pairs.push((&x, steps(&other.x), severity));
            pairs.push((&y, steps(&other.y), severity));
        }
        let after = |at: &usize| *at > sets.training.call.range.start;
        for (_, labels) in judged.iter().filter(|(at, _)| after(at)) {
            pairs.push((&y, labels.clone(), Severity::Warning));
        }
        for (training, other, severity) in pairs {
            let first = encoders(context, training);
            let again = encoders(context, &other).into_iter().find(|again| {
                first.iter().any(|first| first.0 == again.0) && first.iter().all(|first| first.1 != again.1)
            });
            let Some((object, place)) = again else { continue };
            if findings.iter().any(|finding| finding.range == place) {
                continue;
            }
            let named = is_plain(object).is_some();
            let message = format!(
                "`{object}` is fitted again here, to what the model is tested with; if a class is missing there, or another one is, the \
                 same class has another number than in training. {}",
                if named {
                    format!("Use `{object}.transform`")
                } else {
                    "Fit one encoder to the training data and use its `transform` here".to_owned()
                }
            );
            let fix = context.fix(
                "Use the encoder as it is",
                Applicability::Safe,
                place,
                "transform",
            );
            findings.push(Finding {
                severity,
                confidence: 0.85,
                fixes: named.then_some(fix).into_iter().collect(),
                ..context.finding(&INFO, place, message)
            });
        }
    }
    findings
}

/// What is given as labels to functions that judge predictions: where, and the way of the values.
fn judged_labels(context: &Context<'_>) -> Vec<(usize, Vec<Step>)> {
    let text = context.text;
    let uses: Vec<(Range, usize)> = JUDGES
        .iter()
        .flat_map(|judge| text.match_indices(judge))
        .filter_map(|(at, judge)| {
            let start = at + judge.len();
            let (name, _) = text.get(start..)?.split_once(',')?;
            is_plain(name).map(|name| (Range::new(start, start + name.len()), at))
        })
        .collect();
    let trails = context.program.trails(text, &uses);
    uses.into_iter().map(|(_, at)| at).zip(trails).collect()
}

/// The encoders that are fitted on a way of values, with the place of the word `fit_transform`.
fn encoders<'t>(context: &Context<'t>, steps: &[Step]) -> Vec<(&'t str, Range)> {
    let text = context.text;
    let encoder = |step: &Step| {
        let (object, _) = step.change.value.slice(text).split_once(".fit_transform(")?;
        class_of(text, object).filter(|class| is_encoder(class))?;
        let start = step.change.value.start + object.len() + 1;
        Some((object, Range::new(start, start + "fit_transform".len())))
    };
    steps.iter().filter_map(encoder).collect()
}

/// The scaler whose `fit_transform` makes the values, with the place of that word.
fn fitted<'t>(context: &Context<'t>, data: &Data<'_>) -> Option<(&'t str, Range)> {
    let step = data.last_change()?;
    let value = step.change.value.slice(context.text);
    let (name, _) = value.split_once(".fit_transform(")?;
    let scales = |name: &&str| {
        name.to_ascii_lowercase().contains("scal")
            || name.starts_with("sc")
            || class_of(context.text, name).is_some_and(is_scaler)
    };
    let name = is_plain(name).filter(scales)?;
    let start = step.change.value.start + name.len() + 1;
    Some((name, Range::new(start, start + "fit_transform".len())))
}

/// The class of a scaler that is made, fitted and forgotten: `StandardScaler().fit_transform(X)`.
fn unnamed<'t>(context: &Context<'t>, data: &Data<'_>) -> Option<&'t str> {
    let step = data.last_change()?;
    let (made, _) = step
        .change
        .value
        .slice(context.text)
        .split_once(".fit_transform(")?;
    let (class, arguments) = made.split_once('(')?;
    let class = class
        .rsplit('.')
        .next()
        .filter(|class| class.ends_with("Scaler"))?;
    (arguments.ends_with(')') && is_plain(class).is_some()).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nsc = StandardScaler()\nx = sc.fit_transform(x)\np = sc.transform(p)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.evaluate(p, q)".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nsx = StandardScaler()\nsy = StandardScaler()\nx = sx.fit_transform(x)\np = other.fit_transform(p)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.evaluate(p, q)".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nsc = StandardScaler()\nx = sc.fit_transform(x)\np = sc.fit_transform(p)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.evaluate(p, q)".to_owned(), "fit_transform")];
        let fix = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nsc = StandardScaler()\nx = sc.fit_transform(x)\np = sc.fit_transform(p)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.predict(p)".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nsc = StandardScaler()\nx = sc.fit_transform(x)\np = sc.transform(p)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.predict(p)".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
        let script = |lines: &str| {
            format!(
                "import keras\nfrom keras.layers import *\nfrom sklearn.preprocessing import *\n{lines}m = keras.Sequential([Flatten(), Dense(10, \
                 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\nm.evaluate(p, q)"
            )
        };
        let pass = [
            script("a = StandardScaler().fit_transform(a)\nx, p, y, q = train_test_split(a, b)\n"),
            script("x = load()\np = Normalizer().fit_transform(p)\n"),
        ];
        let own = "MinMaxScaler().fit_transform(p)";
        let fail = [
            (
                script(&format!("x = MinMaxScaler().fit_transform(x)\np = {own}\n")),
                own,
            ),
            (
                script(&format!(
                    "sc = MinMaxScaler()\nx = sc.fit_transform(x)\np = {own}\n"
                )),
                own,
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);

        let encoded = |lines: &str, rest: &str| {
            format!(
                "import keras\nfrom keras.layers import *\nfrom sklearn.preprocessing import *\nle = LabelEncoder()\n{lines}\nm = \
                 keras.Sequential([Dense(8, 'relu'), Dense(5, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\n\
                 m.fit(x, y)\n{rest}\n"
            )
        };
        let twice = "y = le.fit_transform(a)\nq = le.fit_transform(b)";
        let pass = [
            encoded("y = le.fit_transform(a)\nq = le.transform(b)", "m.evaluate(p, q)"),
            encoded(
                "q = le.fit_transform(b)\nx, p, y, q = train_test_split(z, q)",
                "m.evaluate(p, q)",
            ),
            encoded(
                "d['a'] = le.fit_transform(d['a'])\nd['b'] = le.fit_transform(d['b'])\nx, p, y, q = train_test_split(d, e)",
                "m.evaluate(p, q)",
            ),
            encoded(
                "y = le.fit_transform(a)\nq = other.fit_transform(b)",
                "m.evaluate(p, q)",
            ),
            encoded(twice, ""),
        ];
        let place = "fit_transform";
        let fail = [
            (encoded(twice, "m.evaluate(p, q)"), place),
            (encoded(twice, "accuracy_score(q, m.predict(p).argmax(1))"), place),
            (
                encoded(
                    "y = LabelEncoder().fit_transform(a)\nq = LabelEncoder().fit_transform(b)",
                    "m.evaluate(p, q)",
                ),
                place,
            ),
        ];
        let fix = [(
            encoded(twice, "m.evaluate(p, q)"),
            encoded("y = le.fit_transform(a)\nq = le.transform(b)", "m.evaluate(p, q)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
