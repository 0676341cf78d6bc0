//! # trainable-without-compile (DL516)
//!
//! ## What it does
//! Finds `trainable` set between two trainings without a `compile` in between, and models that are frozen behind their
//! `compile` before they were ever trained.
//!
//! ## Why it matters
//! Keras 3 looks at `trainable` when a model trains for the first time after `compile`. What is set later has no effect on
//! TensorFlow: layers that were to be fine-tuned stay frozen, frozen ones go on learning. On JAX, the next training raises
//! an exception.
//! What is set between `compile` and the first training does count, other than in Keras 2. A discriminator that is frozen
//! for a combined model after its own `compile` does not learn any more.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! base = keras.applications.MobileNetV2(include_top=False, pooling="avg")
//! base.trainable = False
//! model = keras.Sequential([base, layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x, y, epochs=5)
//! base.trainable = True
//! model.fit(x, y, epochs=5)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! base = keras.applications.MobileNetV2(include_top=False, pooling="avg")
//! base.trainable = False
//! model = keras.Sequential([base, layers.Dense(1, activation="sigmoid")])
//! model.compile(optimizer="adam", loss="binary_crossentropy")
//! model.fit(x, y, epochs=5)
//! base.trainable = True
//! model.compile(optimizer=keras.optimizers.Adam(1e-5), loss="binary_crossentropy")
//! model.fit(x, y, epochs=5)
//! ```
//!
//! ## Fix safety
//! No fix: with which learning rate to go on is not known.
//!
//! ## References
//! - Measured on Keras 3.15.1, TensorFlow and JAX
//! - [Transfer learning and fine-tuning](https://keras.io/guides/transfer_learning/)

use std::collections::HashMap;

use finding::{Finding, Kind, Range, RuleInfo, Severity};
use program::{CallId, Event, EventKind, Model, ModelId, Program};

use crate::context::Context;
use crate::read::{function, is_unconditional};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL516",
    name: "trainable-without-compile",
    kind: Kind::Optimizer,
    severity: Severity::Warning,
    source: include_str!("trainable_without_compile.rs"),
};

/// What `trainable` is set on: a model (or all or some layers of it) or a layer.
type Target = (Option<ModelId>, Option<CallId>);

/// What each was set to last, and where.
type Settings = HashMap<Target, (Option<bool>, Range)>;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let program = context.program;
    // Keras 2 froze what it found at `compile`.
    if program.legacy_keras {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, model) in program.models.iter().enumerate() {
        let id = ModelId(number);
        findings.extend(between_trainings(context, id, model));
        findings.extend(never_trained(context, id, model));
    }
    findings
}

/// What happens to a model.
enum Step {
    Compile,
    Train(Range),
    Set(Target, Option<bool>, Range),
}

/// What happens to a model and its parts, in order.
fn steps(program: &Program, id: ModelId, model: &Model) -> Vec<Step> {
    let step = |event: &Event| match event.kind {
        EventKind::Method(call) if event.model == Some(id) => match program.call(call).class() {
            "compile" => Some(Step::Compile),
            "fit" | "fit_generator" | "train_on_batch" => Some(Step::Train(event.range)),
            _ => None,
        },
        EventKind::Trainable { layer, value } if is_part(program, id, model, event.model, layer) => {
            Some(Step::Set((event.model, layer), value, event.range))
        }
        _ => None,
    };
    program.events.iter().filter_map(step).collect()
}

fn is_part(
    program: &Program,
    id: ModelId,
    model: &Model,
    set: Option<ModelId>,
    layer: Option<CallId>,
) -> bool {
    let mine = |call: CallId| model.layers.iter().any(|layer| layer.call == call);
    if let Some(layer) = layer {
        return mine(layer);
    }
    let Some(other) = set else { return false };
    let Some(part) = program.model(other) else {
        return false;
    };
    // One that is a layer of the model, or whose layers are listed in its place.
    other == id
        || mine(part.call)
        || (!part.layers.is_empty() && part.layers.iter().all(|layer| mine(layer.call)))
}

/// `trainable` that differs from what it was at the first training since `compile`.
fn between_trainings(context: &Context<'_>, id: ModelId, model: &Model) -> Option<Finding> {
    let text = context.text;
    let mut now = Settings::new();
    let mut first: Option<(Settings, Range)> = None;
    for step in steps(context.program, id, model) {
        match step {
            Step::Compile => first = None,
            Step::Set(target, value, range) => {
                now.insert(target, (value, range));
            }
            Step::Train(range) => {
                let Some((then, begun)) = &first else {
                    first = Some((now.clone(), range));
                    continue;
                };
                let changed = now.iter().filter_map(|(target, (value, set))| {
                    let value = (*value)?;
                    let other = match then.get(target) {
                        Some((before, _)) => *before == Some(!value),
                        // Everything learns unless told otherwise; what was frozen as part of something else is not known.
                        None => !value && then.is_empty(),
                    };
                    let in_order = begun.start < set.start && set.start < range.start;
                    let sure = [begun.start, set.start, range.start].iter().all(|at| {
                        is_unconditional(text, *at) && function(text, *at) == function(text, range.start)
                    });
                    (other && in_order && sure).then_some((*set, value))
                });
                let changed = changed.min_by_key(|(set, _)| *set);
                if let Some((set, value)) = changed {
                    let (what, effect) = if value {
                        ("unfrozen", "stay frozen")
                    } else {
                        ("frozen", "go on learning")
                    };
                    let message = format!(
                        "these weights are {what} after a training and the model is not compiled again before the next one, so on \
                         TensorFlow they {effect} (on JAX the training raises an exception); call `compile` after this line"
                    );
                    return Some(Finding {
                        confidence: 0.9,
                        ..context.finding(&INFO, set, message)
                    });
                }
            }
        }
    }
    None
}

/// A model that is frozen as a whole between its `compile` and its first training, and never thawed.
fn never_trained(context: &Context<'_>, id: ModelId, model: &Model) -> Option<Finding> {
    let name = model.name.as_ref()?;
    let mut compiled = false;
    let mut frozen: Option<Range> = None;
    let mut trained = false;
    for step in steps(context.program, id, model) {
        match step {
            // A second one after the freeze: that is what this model is meant to be.
            Step::Compile if frozen.is_some() => return None,
            Step::Compile => compiled = true,
            Step::Train(_) if frozen.is_some() => trained = true,
            Step::Train(_) => return None,
            Step::Set(_, Some(false), range) => {
                let whole = range.slice(context.text) == format!("{name}.trainable");
                if !compiled || !whole || !is_unconditional(context.text, range.start) {
                    return None;
                }
                frozen.get_or_insert(range);
            }
            Step::Set(..) => return None,
        }
    }
    let range = frozen.filter(|_| trained)?;
    let message = format!(
        "`{name}` is frozen here before its first training, and Keras 3 looks at `trainable` at that time, not at `compile` as Keras 2 \
         did: it never learns; set `{name}.trainable = True` before each of its own trainings"
    );
    // The script was right for Keras 2, which may be what it is run with.
    Some(Finding {
        severity: Severity::Information,
        confidence: 0.7,
        ..context.finding(&INFO, range, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "import keras\nfrom keras.layers import Dense\n\
        b = keras.Sequential([keras.Input((4,)), Dense(8, 'relu')])\nb.trainable = False\n\
        m = keras.Sequential([b, Dense(1)])\nm.compile('adam', 'mse')\n";
    const GAN: &str = "import keras\nfrom keras.layers import Dense\n\
        g = keras.Sequential([keras.Input((4,)), Dense(8, 'relu'), Dense(4)])\n\
        d = keras.Sequential([keras.Input((4,)), Dense(8, 'relu'), Dense(1, 'sigmoid')])\n\
        d.compile('adam', 'binary_crossentropy')\nd.trainable = False\n\
        gan = keras.Sequential([g, d])\ngan.compile('adam', 'binary_crossentropy')\n";

    #[test]
    fn tables() {
        let head = |rest: &str| format!("{HEAD}{rest}");
        let gan = |rest: &str| format!("{GAN}{rest}");
        let pass = [
            head("m.fit(x, y)\nb.trainable = True\nm.compile('sgd', 'mse')\nm.fit(x, y)"),
            // It counts from the first training on.
            head("b.trainable = True\nm.fit(x, y)"),
            head("m.fit(x, y)\nb.trainable = False\nm.fit(x, y)"),
            head("m.fit(x, y)\nb.trainable = tune\nm.fit(x, y)"),
            head("m.fit(x, y)\nif tune:\n    b.trainable = True\n    m.compile('sgd', 'mse')\nm.fit(x, y)"),
            head("if a:\n    m.fit(x, y)\nelse:\n    b.trainable = True\n    m.fit(x, y)"),
            head("def f():\n    m.fit(x, y)\ndef t():\n    b.trainable = True\n    m.fit(x, y)"),
            head("m.fit(x, y)\nb.trainable = True\nm.evaluate(x, y)"),
            gan(
                "for i in range(9):\n    d.trainable = True\n    d.train_on_batch(x, y)\n    d.trainable = False\n    gan.train_on_batch(z, y)",
            ),
            gan("gan.train_on_batch(z, y)"),
            gan("d.compile('adam', 'binary_crossentropy')\nd.train_on_batch(x, y)"),
        ];
        let fail = [
            (
                head("m.fit(x, y)\nb.trainable = True\nm.fit(x, y)"),
                "b.trainable",
            ),
            (
                head("m.fit(x, y)\nm.layers[0].trainable = True\nm.fit(x, y)")
                    .replace(
                        "b.trainable = False\n",
                        "m0 = b.layers[0]\nm0.trainable = False\n",
                    )
                    .replace("m.layers[0].trainable", "m0.trainable"),
                "m0.trainable",
            ),
            (
                head("m.fit(x, y)\nb.trainable = False\nm.fit(x, y)").replacen(
                    "b.trainable = False\n",
                    "",
                    1,
                ),
                "b.trainable",
            ),
            (
                gan("for i in range(9):\n    d.train_on_batch(x, y)\n    gan.train_on_batch(z, y)"),
                "d.trainable",
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &[]);
    }
}
