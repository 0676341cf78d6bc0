//! # label-among-features (DL415)
//!
//! ## What it does
//! Finds features cut from a table with the column of the labels still among them.
//!
//! ## Why it matters
//! The network only has to copy that column. Its accuracy is near 100 % in every test and worth nothing, as new data
//! has no such column.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! import numpy as np
//! data = np.loadtxt("diabetes.csv", delimiter=",")
//! X = data[:, 0:9]
//! y = data[:, 8]
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(X, y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! import numpy as np
//! data = np.loadtxt("diabetes.csv", delimiter=",")
//! X = data[:, 0:8]
//! y = data[:, 8]
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(X, y)
//! ```
//!
//! ## Fix safety
//! Safe where the column of the labels is the last of the slice: it ends before it. Otherwise there is no fix.
//!
//! ## References
//! - NumPy: Indexing on ndarrays (the end of a slice is not part of it)

use crate::context::Context;
use crate::read::{Data, compact};
use finding::{Applicability, Finding, Kind, Range, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL415",
    name: "label-among-features",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("label_among_features.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sets in context.sets() {
        let (Some(x), Some(y)) = (sets.training.x.as_ref(), sets.training.y.as_ref()) else {
            continue;
        };
        let (Some((table, place, columns)), Some((other, _, label))) =
            (columns(context, x), columns(context, y))
        else {
            continue;
        };
        let Ok(label) = label.parse::<i64>() else { continue };
        let Some((from, to)) = columns.split_once(':') else {
            continue;
        };
        let from: i64 = if from.is_empty() { Ok(0) } else { from.parse() }.unwrap_or(i64::MAX);
        let to: i64 = to.parse().unwrap_or(i64::MIN);
        let inside = label >= 0 && from >= 0 && from <= label && label < to;
        if table != other || !inside {
            continue;
        }
        let message = format!(
            "the features are the columns {from} to {} of `{table}` and the labels are column {label}, which is one of them, so the \
             network is given the answer; leave that column out",
            to - 1
        );
        let written = place.slice(context.text);
        let fix = (label == to - 1)
            .then(|| written.rfind(&to.to_string()))
            .flatten()
            .map(|at| {
                let start = place.start + at;
                let range = Range::new(start, start + to.to_string().len());
                context.fix(
                    "End before the labels",
                    Applicability::Safe,
                    range,
                    label.to_string(),
                )
            });
        findings.push(Finding {
            confidence: 0.93,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, place, message)
        });
    }
    findings
}

/// The table that some columns are cut from, where, and which: `table[:, columns]`.
fn columns<'t>(context: &Context<'t>, data: &Data<'_>) -> Option<(&'t str, Range, String)> {
    let step = data
        .steps
        .iter()
        .take_while(|step| !step.changes_values)
        .find(|step| step.change.value.slice(context.text).contains("[:"))?;
    let place = step.change.value;
    let value = place.slice(context.text);
    let (table, rest) = value.split_once('[')?;
    let (rows, columns) = rest.strip_suffix(']')?.split_once(',')?;
    (compact(rows) == ":").then(|| (table.trim_end_matches(".iloc"), place, compact(columns)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nd = load()\nx = d[:, :8]\ny = d[:, 8]\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nd = load()\nx = d[:, 1:]\ny = d[:, 0]\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nd = load()\nx = d[:, 0:-1]\ny = d[:, -1]\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nd = load()\nx = d[:, 0:n]\ny = d[:, 8]\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nd = load()\nx = d[:, 0:9]\ny = d[:, 8]\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned(), "d[:, 0:9]")];
        let fix = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nd = load()\nx = d[:, :9]\ny = d[:, 8]\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\nd = load()\nx = d[:, :8]\ny = d[:, 8]\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
