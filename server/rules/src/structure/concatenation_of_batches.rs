//! # concatenation-of-batches (DL624)
//!
//! ## What it does
//! Finds branches of a model that are concatenated along axis 0, the samples of the batch.
//!
//! ## Why it matters
//! The features of a sample are not joined: the samples of one branch are put below those of the other. The model then
//! gives several rows per sample, each from one branch alone. With labels of one row per sample, `fit` raises an
//! exception or compares predictions with the labels of other samples.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! left, right = keras.Input((4,)), keras.Input((4,))
//! merged = layers.concatenate([left, right], axis=0)
//! model = keras.Model([left, right], layers.Dense(1)(merged))
//! model.compile(optimizer="adam", loss="mse")
//! model.fit([a, b], y)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! left, right = keras.Input((4,)), keras.Input((4,))
//! merged = layers.concatenate([left, right], axis=-1)
//! model = keras.Model([left, right], layers.Dense(1)(merged))
//! model.compile(optimizer="adam", loss="mse")
//! model.fit([a, b], y)
//! ```
//!
//! ## Fix safety
//! Safe: the last axis, the features, is put in.
//!
//! ## References
//! - `keras.layers.Concatenate`

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Model, ModelKind, Source, Value};

use crate::context::Context;
use crate::read::layer_class;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL624",
    name: "concatenation-of-batches",
    kind: Kind::Shape,
    severity: Severity::Error,
    source: include_str!("concatenation_of_batches.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    let mut findings = Vec::new();
    // Parts of a batch that were taken apart may be put together again, and what was put together taken apart: only
    // where every step is a layer of Keras' own that leaves the batch as it is.
    let plain = |model: &&Model| {
        model.kind == ModelKind::Functional
            && model.complete
            && !model.custom_loss
            && model.layers.iter().all(|layer| {
                layer_class(program.call(layer.call)).is_some_and(|class| class != "Lambda")
                    && layer
                        .inputs
                        .iter()
                        .all(|source| matches!(source, Source::Layer(_) | Source::Input(_)))
            })
    };
    for model in program.models.iter().filter(plain) {
        for (position, layer) in model.layers.iter().enumerate() {
            let call = program.call(layer.call);
            if !matches!(layer_class(call), Some("Concatenate" | "concatenate")) || layer.inputs.len() < 2 {
                continue;
            }
            let Some(argument) = call
                .argument("axis")
                .filter(|argument| argument.value.value == Value::Int(0))
            else {
                continue;
            };
            let trained = context
                .trainings
                .iter()
                .any(|training| training.model.is_some_and(|fitted| std::ptr::eq(fitted, model)));
            let message = "axis 0 is the batch: this puts the samples of one branch below those of the other instead of joining \
                           their features, so the model gives several rows per sample and they no longer match the labels; use \
                           the last axis, -1";
            let fix = context.fix(
                "Use the last axis",
                Applicability::Safe,
                argument.value.origin,
                "-1",
            );
            findings.push(Finding {
                severity: if trained {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                confidence: if trained { 0.96 } else { 0.8 },
                layer: context.layer(model, position),
                fixes: vec![fix],
                ..context.finding(&INFO, argument.range, message)
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(merge: &str) -> String {
        format!(
            "import keras\nfrom keras import layers as L\na, b = keras.Input((4,)), keras.Input((4,))\nc = L.Dense(8, 'relu')(a)\n\
             d = L.Dense(8, 'relu')(b)\nx = {merge}\nm = keras.Model([a, b], L.Dense(1)(x))\nm.compile('adam', 'mse')\n\
             m.fit([p, q], y)\n"
        )
    }

    #[test]
    fn tables() {
        let pass = [
            script("L.concatenate([c, d], axis=-1)"),
            script("L.concatenate([c, d])"),
            script("L.Concatenate(axis=1)([c, d])"),
            script("L.Concatenate(axis=k)([c, d])"),
            script("L.Concatenate(axis=0)([L.Lambda(half)(c), d])"),
            script("L.Concatenate(axis=0)([c[:4], c[4:]])"),
            script("L.Lambda(halves)(L.Concatenate(axis=0)([c, d]))"),
            "import keras\nx = keras.ops.concatenate([real, fake], axis=0)\n".to_owned(),
        ];
        let fail = [
            (script("L.concatenate([c, d], axis=0)"), "axis=0"),
            (script("L.Concatenate(axis=0)([c, d])"), "axis=0"),
            (script("L.Concatenate(0)([c, d])"), "0"),
        ];
        let fix = [(
            script("L.concatenate([c, d], axis=0)"),
            script("L.concatenate([c, d], axis=-1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
