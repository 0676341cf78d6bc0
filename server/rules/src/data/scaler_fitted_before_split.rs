//! # scaler-fitted-before-split (DL411)
//!
//! ## What it does
//! Finds scalers that are fitted to all samples before these are split into training and test data.
//!
//! ## Why it matters
//! Mean and range of the test samples go into the training that way. The leak is usually small, but the test no longer
//! shows how the model does on data nobody has seen.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.preprocessing import StandardScaler
//! from sklearn.model_selection import train_test_split
//! X = StandardScaler().fit_transform(X)
//! X_train, X_test, y_train, y_test = train_test_split(X, y)
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(X_train, y_train)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! from sklearn.preprocessing import StandardScaler
//! from sklearn.model_selection import train_test_split
//! X_train, X_test, y_train, y_test = train_test_split(X, y)
//! scaler = StandardScaler()
//! X_train = scaler.fit_transform(X_train)
//! X_test = scaler.transform(X_test)
//! model = keras.Sequential([layers.Dense(1)])
//! model.compile(optimizer="adam", loss="mse")
//! model.fit(X_train, y_train)
//! ```
//!
//! ## Fix safety
//! No fix: statements would have to be moved.
//!
//! ## References
//! - scikit-learn: Common pitfalls, data leakage during pre-processing

use crate::context::Context;
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL411",
    name: "scaler-fitted-before-split",
    kind: Kind::DataOther,
    severity: Severity::Information,
    source: include_str!("scaler_fitted_before_split.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(x) = sets.training.x.as_ref() else {
            continue;
        };
        let mut nearest = x.steps.iter();
        let split = nearest.position(|step| {
            step.change
                .value
                .slice(context.text)
                .contains("train_test_split(")
        });
        let scaled = nearest.find(|step| step.changes_values).filter(|step| {
            let value = step.change.value.slice(context.text);
            let name = value.to_ascii_lowercase();
            value.contains(".fit_transform(") && name.contains("scal")
        });
        let (Some(_), Some(step)) = (split, scaled) else {
            continue;
        };
        let message = "the scaler is fitted to all samples before they are split, so numbers of the test samples go into the \
                       training; split first and fit it to the training samples only";
        findings.push(Finding {
            confidence: 0.8,
            ..context.finding(&INFO, step.change.value, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nx, p, y, q = train_test_split(X, Y)\nscaler = StandardScaler()\nx = scaler.fit_transform(x)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nX = vectorizer.fit_transform(texts)\nx, p, y, q = train_test_split(X, Y)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nscaler = MinMaxScaler()\nX = scaler.fit_transform(X)\nx, p, y, q = train_test_split(X, Y)\nm = keras.Sequential([Flatten(), Dense(10, 'softmax')])\nm.compile('adam', 'sparse_categorical_crossentropy')\nm.fit(x, y)\n".to_owned(), "scaler.fit_transform(X)")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
