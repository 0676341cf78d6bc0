//! # scaler-fitted-on-test-data (DL410)
//!
//! ## What it does
//! Finds scalers that are fitted again to the test data (`scaler.fit_transform(X_test)`), and test data with a scaler of
//! their own (`StandardScaler().fit_transform(X_test)`).
//!
//! ## Why it matters
//! The test data is then scaled by its own mean and range, not by those the network was trained with: the same
//! measurement means one number in training and another in the test.
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
//! Safe where the same scaler was fitted to the training data: its own numbers are used again. No fix where the scaler
//! has no name.
//!
//! ## References
//! - scikit-learn: Common pitfalls, inconsistent preprocessing

use crate::context::Context;
use crate::read::{Data, is_plain};
use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL410",
    name: "scaler-fitted-on-test-data",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("scaler_fitted_on_test_data.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
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

/// The scaler whose `fit_transform` makes the values, with the place of that word.
fn fitted<'t>(context: &Context<'t>, data: &Data<'_>) -> Option<(&'t str, Range)> {
    let step = data.last_change()?;
    let value = step.change.value.slice(context.text);
    let (name, _) = value.split_once(".fit_transform(")?;
    let name =
        is_plain(name).filter(|name| name.to_ascii_lowercase().contains("scal") || name.starts_with("sc"))?;
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
    }
}
