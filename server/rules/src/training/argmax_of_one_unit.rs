//! # argmax-of-one-unit (DL508)
//!
//! ## What it does
//! Finds `np.argmax(model.predict(…), axis=1)` of a model with a single output unit.
//!
//! ## Why it matters
//! The largest of one number is always the first: every prediction becomes class 0, whatever the network has learned. A
//! sigmoid's class is `prediction > 0.5`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
//! import numpy as np
//! classes = np.argmax(model.predict(x), axis=1)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
//! import numpy as np
//! classes = (model.predict(x) > 0.5).astype(int)
//! ```
//!
//! ## Fix safety
//! No fix: the shape of the result is for the code behind it to say.
//!
//! ## References
//! - `numpy.argmax`

use finding::{Finding, Kind, Range, RuleInfo, Severity};
use program::Call;

use crate::context::Context;
use crate::read::{Head, compact, model_of};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL508",
    name: "argmax-of-one-unit",
    kind: Kind::ApiMisuse,
    severity: Severity::Error,
    source: include_str!("argmax_of_one_unit.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in &context.program.calls {
        if call.callee != "Model.predict" || !has_one_unit(context, call) {
            continue;
        }
        if let Some(range) = argmax_around(context.text, call.range) {
            let message = "the model has one output unit, and the index of the largest of one number is always 0, so every \
                           prediction becomes class 0; take `prediction > 0.5` instead";
            findings.push(Finding {
                confidence: 0.95,
                ..context.finding(&INFO, range, message)
            });
        }
    }
    findings
}

fn has_one_unit(context: &Context<'_>, predict: &Call) -> bool {
    let Some(model) = model_of(context.program, context.text, predict) else {
        return false;
    };
    // A sequence has a value per time step: there, the axis may be time.
    let flat = model
        .layers
        .last()
        .is_some_and(|layer| context.program.call(layer.call).class() == "Dense");
    let sequences = context.text.contains("return_sequences") || context.text.contains("Conv");
    flat && !sequences && Head::of(context.program, model).is_some_and(|head| head.units == Some(1))
}

/// `np.argmax(` before a call and `, axis=1)` behind it.
fn argmax_around(text: &str, call: Range) -> Option<Range> {
    let before = text.get(..call.start)?;
    let start = ["np.argmax(", "numpy.argmax(", "tf.argmax(", "ops.argmax("]
        .iter()
        .find_map(|name| before.strip_suffix(name))?
        .len();
    let rest = text.get(call.end..)?;
    let axis = compact(rest.split(')').next()?);
    let of_units = matches!(axis.as_str(), ",axis=1" | ",axis=-1" | ",1" | ",-1");
    of_units.then(|| Range::new(start, call.end + rest.find(')').unwrap_or(0) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nimport numpy as np\np = np.argmax(m.predict(x), axis=0)".to_owned(), "import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nimport numpy as np\np = np.argmax(m.predict(x))".to_owned(), "import keras, numpy as np\nm = keras.Sequential([keras.layers.Dense(3)])\nnp.argmax(m.predict(x), axis=1)".to_owned(), "import keras, numpy as np\nm = keras.Sequential([keras.layers.Dense(n)])\nnp.argmax(m.predict(x), axis=1)".to_owned()];
        let fail = [("import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nimport numpy as np\np = np.argmax(m.predict(x), axis=1)".to_owned(), "np.argmax(m.predict(x), axis=1)"), ("import keras\nfrom keras.callbacks import *\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', 'binary_crossentropy', metrics=['accuracy'])\nimport numpy as np\np = np.argmax(m.predict(x), -1)".to_owned(), "np.argmax(m.predict(x), -1)")];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
