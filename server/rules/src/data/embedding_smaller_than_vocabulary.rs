//! # embedding-smaller-than-vocabulary (DL416)
//!
//! ## What it does
//! Finds an Embedding with fewer rows than the data set has words.
//!
//! ## Why it matters
//! Word numbers from the number of rows on are not in the table: TensorFlow raises `InvalidArgumentError: indices … is
//! not in [0, …)` on the CPU, as soon as such a word comes, and uses zeros on a GPU.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! from keras.datasets import imdb
//! (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=20000)
//! model = keras.Sequential([layers.Embedding(10000, 32), layers.GlobalAveragePooling1D(), layers.Dense(1, activation="sigmoid")])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! from keras.datasets import imdb
//! (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=20000)
//! model = keras.Sequential([layers.Embedding(20000, 32), layers.GlobalAveragePooling1D(), layers.Dense(1, activation="sigmoid")])
//! ```
//!
//! ## Fix safety
//! Safe: the table gets a row for each word.
//!
//! ## References
//! - Measured on Keras 3.15.1: an index beyond the table raises InvalidArgumentError

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::Value;

use crate::context::Context;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL416",
    name: "embedding-smaller-than-vocabulary",
    kind: Kind::LayerSize,
    severity: Severity::Error,
    source: include_str!("embedding_smaller_than_vocabulary.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let calls = &context.program.calls;
    let mut loads = calls.iter().filter(|call| call.class() == "load_data");
    let mut embeddings = calls
        .iter()
        .filter(|call| call.callee == "keras.layers.Embedding");
    // With one of each, they belong together.
    let (Some(load), None, Some(embedding), None) =
        (loads.next(), loads.next(), embeddings.next(), embeddings.next())
    else {
        return Vec::new();
    };
    let texts = matches!(
        load.callee.as_str(),
        "keras.datasets.imdb.load_data" | "keras.datasets.reuters.load_data"
    );
    let (Some(words), Some(rows)) = (load.argument("num_words"), embedding.argument("input_dim")) else {
        return Vec::new();
    };
    let (Value::Int(words), Value::Int(size)) = (&words.value.value, &rows.value.value) else {
        return Vec::new();
    };
    if !texts || size >= words {
        return Vec::new();
    }
    let message = format!(
        "the texts are loaded with word numbers below {words}, but this Embedding has {size} rows, so the first rarer word raises an \
         exception; give it {words} rows"
    );
    let fix = context.fix(
        format!("Use {words} rows"),
        Applicability::Safe,
        rows.value.range,
        words.to_string(),
    );
    vec![Finding {
        confidence: 0.93,
        fixes: vec![fix],
        ..context.finding(&INFO, rows.value.range, message)
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let pass = ["import keras\n(x, y), (p, q) = keras.datasets.imdb.load_data(num_words=100)\nkeras.layers.Embedding(100, 8)".to_owned(), "import keras\n(x, y), (p, q) = keras.datasets.imdb.load_data(num_words=n)\nkeras.layers.Embedding(100, 8)".to_owned()];
        let fail = [("import keras\n(x, y), (p, q) = keras.datasets.imdb.load_data(num_words=200)\nkeras.layers.Embedding(100, 8)".to_owned(), "100")];
        let fix = [("import keras\n(x, y), (p, q) = keras.datasets.imdb.load_data(num_words=200)\nkeras.layers.Embedding(100, 8)".to_owned(), "import keras\n(x, y), (p, q) = keras.datasets.imdb.load_data(num_words=200)\nkeras.layers.Embedding(200, 8)".to_owned())];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
