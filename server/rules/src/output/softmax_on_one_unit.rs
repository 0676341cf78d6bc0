//! # softmax-on-one-unit (DL101)
//!
//! ## What it does
//! Finds layers with a single unit whose activation is softmax.
//!
//! ## Why it matters
//! Softmax divides by the sum over the units. With one unit that is the unit itself, so the layer's output is 1.0 for
//! every input. Predictions never change and no gradient passes the activation. (Keras on TensorFlow hides this during
//! training: its cross-entropy looks behind the softmax, so the loss falls while accuracy and predictions stand still.)
//!
//! ## Example
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(16, activation="relu"),
//!     keras.layers.Dense(1, activation="softmax"),
//! ])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! model = keras.Sequential([
//!     keras.layers.Dense(16, activation="relu"),
//!     keras.layers.Dense(1, activation="sigmoid"),
//! ])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! ```
//!
//! ## Fix safety
//! Safe when the model is compiled with binary cross-entropy, which asks for a sigmoid. Otherwise unsafe: with a
//! regression loss the output is made linear; with categorical cross-entropy the loss is changed along with it, which
//! is right for two classes only.
//!
//! ## References
//! - Nikanjam et al.: NeuraLint, TOSEM 2022
//! - <https://stackoverflow.com/questions/51930566>

use finding::{Applicability, Finding, Fix, Kind, RuleInfo, Severity};
use program::{Call, Model};

use crate::context::{Context, Output};
use crate::read::Head;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL101",
    name: "softmax-on-one-unit",
    kind: Kind::OutputActivation,
    severity: Severity::Error,
    source: include_str!("softmax_on_one_unit.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Layers that carry their own softmax, wherever they are used.
    for call in &context.program.calls {
        if let Some(head) = Head::of_layer(context.program, call).filter(one_unit_softmax) {
            findings.push(report(context, &head, model_with(context, call)));
        }
    }
    // Outputs whose softmax is a layer of its own.
    for model in &context.program.models {
        if let Some(head) = Head::of(context.program, model).filter(one_unit_softmax) {
            let position = head.position;
            findings.push(report(context, &head, Some((model, position))));
        }
    }
    findings
}

/// Whether the output is softmax over one unit: then every other rule on the output has nothing to add.
pub(crate) fn one_unit_softmax(head: &Head<'_>) -> bool {
    head.activation == "softmax" && head.units == Some(1)
}

fn model_with<'a>(context: &Context<'a>, call: &Call) -> Option<(&'a Model, usize)> {
    context.program.models.iter().find_map(|model| {
        let holds = |layer: &program::Layer| context.program.call(layer.call).range.contains(call.range);
        Some((model, model.layers.iter().position(holds)?))
    })
}

fn report(context: &Context<'_>, head: &Head<'_>, place: Option<(&Model, usize)>) -> Finding {
    let is_last = place.is_none_or(|(model, position)| {
        Head::of(context.program, model).is_some_and(|output| output.position == position)
            || position + 1 == model.layers.len()
    });
    let advice = match place {
        None => {
            "use a sigmoid for two classes, one unit per class for more (and `Softmax(axis=1)` for weights over time steps)"
        }
        Some(_) if is_last => "use a sigmoid for two classes, or one unit per class for more",
        Some(_) => "use another activation, or more units",
    };
    let message = format!(
        "softmax over one unit is 1.0 whatever the input, so the output of this layer never changes and nothing can be \
         learned through it; {advice}"
    );
    let output = context
        .outputs
        .iter()
        .find(|output| place.is_some_and(|(model, _)| std::ptr::eq(model, output.model)));
    Finding {
        kind: if is_last {
            Kind::OutputActivation
        } else {
            Kind::HiddenActivation
        },
        layer: place.and_then(|(model, position)| context.layer(model, position)),
        confidence: if place.is_some() { 0.98 } else { 0.92 },
        fixes: fix(context, head, output.filter(|_| is_last))
            .into_iter()
            .collect(),
        ..context.finding(&INFO, head.range(), message)
    }
}

fn fix(context: &Context<'_>, head: &Head<'_>, output: Option<&Output<'_>>) -> Option<Fix> {
    let sigmoid = || context.activation_edit(head, "sigmoid");
    let Some(output) = output else {
        return Some(context.fix_all("Use a sigmoid", Applicability::Unsafe, vec![sigmoid()?]));
    };
    let loss = &output.loss;
    if loss.from_logits != Some(false) {
        return None;
    }
    if loss.is_regression() {
        let edit = context.activation_edit(head, "linear")?;
        return Some(context.fix_all("Use a linear output", Applicability::Unsafe, vec![edit]));
    }
    if loss.is_categorical() {
        let edits = vec![
            sigmoid()?,
            context.replace_name(loss.range, &loss.written, "binary_crossentropy")?,
        ];
        return Some(context.fix_all(
            "Use a sigmoid and binary cross-entropy",
            Applicability::Unsafe,
            edits,
        ));
    }
    Some(context.fix_all("Use a sigmoid output", Applicability::Safe, vec![sigmoid()?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        crate::testing::check(
            &INFO,
            &[
                "import keras\nkeras.layers.Dense(2, activation='softmax')",
                "import keras\nkeras.layers.Dense(1, activation='sigmoid')",
                "import keras\nkeras.layers.Dense(n, activation='softmax')",
                "import keras\nkeras.layers.Conv2D(1, 3, activation='softmax', data_format='channels_first')",
                "from keras import Sequential, layers\nm = Sequential([layers.Dense(1), layers.Reshape((-1,)), layers.Softmax()])",
                "from keras import Sequential, layers\nm = Sequential([layers.Dense(1), layers.Softmax(axis=1)])",
            ],
            &[
                (
                    "import keras\nm = keras.Sequential([keras.layers.Dense(1, activation='softmax')])\nm.compile('sgd', 'mse')",
                    "'softmax'",
                ),
                (
                    "import keras\nkeras.layers.Dense(units=1, activation=keras.activations.softmax)(x)",
                    "keras.activations.softmax",
                ),
                (
                    "import tensorflow as tf\nL = tf.keras.layers\nm = tf.keras.Sequential()\nm.add(L.Dense(4))\nm.add(L.Dense(1))\n\
                     m.add(L.Activation('softmax'))\nm.compile('sgd', 'binary_crossentropy')",
                    "'softmax'",
                ),
                (
                    "from keras import Sequential, layers\nm = Sequential([layers.Dense(1), layers.Softmax()])",
                    "layers.Softmax()",
                ),
                ("import keras\nU, A = 1, 'softmax'\nkeras.layers.Dense(U, A)", "A"),
                (
                    "from keras import Sequential, layers as L\nm = Sequential([L.TimeDistributed(L.Dense(1, activation='softmax'))])",
                    "'softmax'",
                ),
                (
                    "from keras import Sequential, layers as L\nm = Sequential([L.Dense(1, 'softmax')])\nm.compile('sgd', 'sparse_categorical_crossentropy')",
                    "'softmax'",
                ),
            ],
            &[
                (
                    "import keras\nm = keras.Sequential([keras.layers.Dense(1, activation=\"softmax\")])\nm.compile('sgd', 'binary_crossentropy')",
                    "import keras\nm = keras.Sequential([keras.layers.Dense(1, activation=\"sigmoid\")])\nm.compile('sgd', 'binary_crossentropy')",
                ),
                (
                    "import tensorflow as tf\ntf.keras.layers.Dense(1, activation=tf.nn.softmax)",
                    "import tensorflow as tf\ntf.keras.layers.Dense(1, activation=tf.nn.sigmoid)",
                ),
                (
                    "import keras\nm = keras.Sequential([keras.layers.Dense(1, 'softmax')])\nm.compile('sgd', 'categorical_crossentropy')",
                    "import keras\nm = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('sgd', 'binary_crossentropy')",
                ),
            ],
        );
    }

    #[test]
    fn the_layer_is_named_as_keras_names_it() {
        let text = "from keras import Sequential, layers as L\nm = Sequential([L.Input((3,)), L.Dense(4), L.Dense(4), L.Dense(1, 'softmax')])";
        let found = crate::check(&program::Program::parse(text), text, std::path::Path::new("a.py"));
        let layer = found[0].layer.as_ref().expect("a layer");
        assert_eq!(
            (layer.index, layer.name.as_str(), layer.type_name.as_str()),
            (2, "dense_2", "Dense")
        );
    }
}
