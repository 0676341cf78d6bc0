//! # ordered-labels-with-validation-split (DL413)
//!
//! ## What it does
//! Finds `validation_split` on labels that the script makes in order, one class after the other.
//!
//! ## Why it matters
//! `validation_split` takes the last samples, before any shuffling. Of ordered classes these are all of the last class:
//! the network is trained without it and validated on nothing else.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! import numpy as np
//! y = np.concatenate([np.zeros(500), np.ones(500)])
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x, y, validation_split=0.2)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! import numpy as np
//! y = np.concatenate([np.zeros(500), np.ones(500)])
//! order = np.random.permutation(len(y))
//! x, y = x[order], y[order]
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x, y, validation_split=0.2)
//! ```
//!
//! ## Fix safety
//! No fix: features and labels have to be shuffled together.
//!
//! ## References
//! - `keras.Model.fit`: "The validation data is selected from the last samples in the x and y data provided, before
//!   shuffling"

use crate::context::{Context, number};
use crate::read::{compact, is_plain};
use finding::{Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL413",
    name: "ordered-labels-with-validation-split",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("ordered_labels_with_validation_split.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    // Any shuffling may be that of these arrays.
    if ["shuffle(", "permutation", ".sample("]
        .iter()
        .any(|sign| context.text.contains(sign))
    {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for sets in context.sets() {
        let Some(split) = sets.training.call.argument("validation_split") else {
            continue;
        };
        let Some(share) = number(&split.value.value).filter(|share| *share > 0.0 && *share < 1.0) else {
            continue;
        };
        let Some(y) = sets.training.y.as_ref() else {
            continue;
        };
        let moved = y
            .steps
            .iter()
            .take_while(|step| !step.changes_values)
            .all(|step| is_plain(step.change.value.slice(context.text)).is_some());
        let ordered = y
            .last_change()
            .is_some_and(|step| is_ordered(step.change.value.slice(context.text)));
        if moved && ordered {
            let message = format!(
                "`validation_split` takes the last {:.0} % of the samples, and the labels are in order of their classes, so \
                 validation sees the last class only; shuffle features and labels together first",
                share * 100.0
            );
            findings.push(context.finding(&INFO, split.range, message));
        }
    }
    findings
}

/// `np.concatenate([np.zeros(…), np.ones(…)])`, `np.array([0] * n + [1] * n)` and the like.
pub(super) fn is_ordered(value: &str) -> bool {
    let value = compact(value);
    let name = value.split('(').next().unwrap_or_default();
    let joins = matches!(name, "np.concatenate" | "np.hstack" | "np.r_" | "np.append");
    let blocks = ["np.zeros(", "np.ones(", "np.full("];
    let count: usize = blocks.iter().map(|block| value.matches(block).count()).sum();
    let repeated = value.starts_with("np.array([0]*") && value.contains("+[1]*");
    (joins && count >= 2 && value.matches("np.").count() == count + 1) || repeated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\ny = np.concatenate([np.zeros(5), np.ones(5)])\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\ny = np.concatenate([a, b])\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y, validation_split=0.2)\n".to_owned(), "import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\ny = np.concatenate([np.zeros(5), np.ones(5)])\nx, y = shuffle(x, y)\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y, validation_split=0.2)\n".to_owned()];
        let fail = [("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\ny = np.concatenate([np.zeros(5), np.ones(5)])\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y, validation_split=0.2)\n".to_owned(), "validation_split=0.2"), ("import keras\nimport numpy as np\nfrom keras.layers import *\nfrom keras.datasets import mnist, imdb\nfrom keras.utils import to_categorical\nfrom sklearn.model_selection import train_test_split\nfrom sklearn.preprocessing import *\ny = np.array([0] * 50 + [1] * 50)\nm = keras.Sequential([Flatten(), Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy')\nm.fit(x, y, validation_split=0.3)\n".to_owned(), "validation_split=0.3")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
