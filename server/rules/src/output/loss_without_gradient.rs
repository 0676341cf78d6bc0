//! # loss-without-gradient (DL160)
//!
//! ## What it does
//! Finds losses of the script's own that depend on the predictions only through operations without a gradient: `round`,
//! `argmax`, `sign`, `floor`, comparisons (`y_pred > 0.5`), casts to whole numbers, `stop_gradient`, NumPy.
//!
//! ## Why it matters
//! Training follows the slope of the loss. Rounded or compared predictions do not change when a weight changes a
//! little, so the slope is zero or none: Keras raises "No gradients provided for any variable", or the weights stay as they are.
//! Accuracy, precision, recall and F1 counted from such predictions are metrics, not losses.
//!
//! ## Example
//! ```python
//! import keras
//! import tensorflow as tf
//! def f1_loss(y_true, y_pred):
//!     hits = tf.reduce_sum(y_true * tf.round(y_pred))
//!     return 1 - 2 * hits / (tf.reduce_sum(y_true) + tf.reduce_sum(tf.round(y_pred)))
//! model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
//! model.compile(optimizer="adam", loss=f1_loss)
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! import tensorflow as tf
//! def f1_loss(y_true, y_pred):
//!     hits = tf.reduce_sum(y_true * y_pred)
//!     return 1 - 2 * hits / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred))
//! model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
//! model.compile(optimizer="adam", loss=f1_loss)
//! ```
//!
//! ## Fix safety
//! Unsafe: the predictions are taken as they are, and the loss becomes a smooth one of the same form.
//!
//! ## References
//! - `tf.GradientTape.gradient`: `None` where target and sources are not connected
//! - `tf.custom_gradient` and straight-through estimators, which are not reported

use std::collections::HashMap;

use finding::{Applicability, Finding, Fix, Kind, Range, RuleInfo, Severity};
use program::{Function, Statement, StatementKind, Term, TermKind, own_statements};

use crate::context::Context;
use crate::read::{Definitions, Flow, Follow, LossBody, OwnLoss};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL160",
    name: "loss-without-gradient",
    kind: Kind::Loss,
    severity: Severity::Error,
    source: include_str!("loss_without_gradient.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if !context.may_have_own_loss() {
        return Vec::new();
    }
    let definitions = Definitions::of(context.code());
    let mut findings: Vec<_> = definitions
        .losses()
        .iter()
        .filter_map(|loss| {
            let range = cut(context, &definitions, loss)?;
            Some(finding(
                context,
                &definitions,
                range,
                &format!("the loss `{}`", loss.name),
            ))
        })
        .collect();
    let blocks = definitions
        .functions
        .iter()
        .map(|defined| &defined.function.body[..]);
    for block in blocks.chain([context.code()]) {
        findings.extend(
            under_tape(context, &definitions, block)
                .map(|range| finding(context, &definitions, range, "the loss that is differentiated")),
        );
    }
    findings
}

/// The operation that the predictions have to pass, where there is no way round.
fn cut(context: &Context<'_>, definitions: &Definitions<'_>, loss: &OwnLoss<'_>) -> Option<Range> {
    let imported = |name: &str| {
        context
            .program
            .imports
            .iter()
            .any(|import| import.bound.as_deref() == Some(name))
    };
    let made = |name: &str| {
        let (function, call) = loss.made?;
        let position = function.parameters.iter().position(|(own, _)| own == name)?;
        let default = function.parameters.get(position)?.1.as_ref();
        call.argument(position, name).or(default)
    };
    let free = |name: &str| {
        let value = made(name).or_else(|| definitions.assigned(name));
        if imported(name) || definitions.function(name).is_some() || value.is_some_and(is_constant) {
            Flow::Independent
        } else {
            // May be a tensor of the model.
            Flow::Open
        }
    };
    let follow = Follow {
        definitions,
        free: &free,
        model: None,
    };
    let names = HashMap::from([(loss.labels, Flow::Independent), (loss.predictions, Flow::Open)]);
    let flow = match loss.body {
        LossBody::Lambda(body) => follow.term(body, &names, 0),
        LossBody::Function(function) => follow.function(function, with_defaults(function, names), 0),
    };
    match flow {
        Flow::Cut(range) => Some(range),
        _ => None,
    }
}

/// Parameters beyond labels and predictions have their defaults.
fn with_defaults<'a>(function: &'a Function, mut names: HashMap<&'a str, Flow>) -> HashMap<&'a str, Flow> {
    for (name, _) in &function.parameters {
        names.entry(name).or_insert(Flow::Independent);
    }
    names
}

/// Numbers, strings and arrays of them, which no layer has made.
fn is_constant(value: &Term) -> bool {
    value.all().iter().all(|term| match &term.kind {
        TermKind::Number(_)
        | TermKind::Text(_)
        | TermKind::Bool(_)
        | TermKind::List(_)
        | TermKind::Unary(..)
        | TermKind::Binary(..) => true,
        TermKind::Other(parts) => parts.is_empty(),
        TermKind::Call(call) => call.path.as_deref().is_some_and(|path| {
            path.starts_with("numpy.") || path.ends_with(".constant") || path == "keras.backend.epsilon"
        }),
        TermKind::Name(_) | TermKind::Attribute(..) => value.call().is_some(),
        _ => false,
    })
}

/// The operation that what a tape differentiates has to pass.
fn under_tape<'a>(
    context: &Context<'_>,
    definitions: &Definitions<'a>,
    block: &'a [Statement],
) -> Option<Range> {
    let statements = own_statements(block);
    let is_tape = |item: &Term| item.call().and_then(|call| call.last()) == Some("GradientTape");
    let mut tapes = statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::With(items, body) if items.iter().any(|(item, _)| is_tape(item)) => Some(body),
        _ => None,
    });
    let (tape, None) = (tapes.next()?, tapes.next()) else {
        return None;
    };
    let mut gradients = statements
        .iter()
        .flat_map(|statement| statement.terms())
        .flat_map(Term::all)
        .filter_map(Term::call)
        .filter(|call| call.path.is_none() && call.last() == Some("gradient"));
    let (gradient, None) = (gradients.next()?, gradients.next()) else {
        return None;
    };
    let target = gradient.argument(0, "target")?.name()?;
    let TermKind::Attribute(model, variables) = &gradient.argument(1, "sources")?.kind else {
        return None;
    };
    if !matches!(
        variables.as_str(),
        "trainable_variables" | "trainable_weights" | "variables" | "weights"
    ) {
        return None;
    }
    let follow = Follow {
        definitions,
        free: &|_| Flow::Independent,
        model: Some((model.range.slice(context.text), context.text)),
    };
    let mut names = HashMap::new();
    follow.block(tape, &mut names, &mut Flow::Independent.clone(), 0);
    match names.get(target) {
        Some(Flow::Cut(range)) => Some(*range),
        _ => None,
    }
}

fn finding(context: &Context<'_>, definitions: &Definitions<'_>, range: Range, subject: &str) -> Finding {
    let written = range.slice(context.text);
    let shown: String = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = format!(
        "{subject} depends on the predictions only through `{shown}`, which has no gradient: no weight is told which way to \
         change, and training fails with \"No gradients provided for any variable\" or changes nothing. Compute the loss from \
         the predicted probabilities themselves; counted from decisions, the score can be a metric"
    );
    Finding {
        confidence: 0.96,
        fixes: term_at(definitions.code, range)
            .and_then(|term| smooth(context, term))
            .into_iter()
            .collect(),
        ..context.finding(&INFO, range, message)
    }
}

fn term_at(code: &[Statement], range: Range) -> Option<&Term> {
    program::statements(code)
        .into_iter()
        .flat_map(Statement::terms)
        .flat_map(Term::all)
        .find(|term| term.range == range)
}

/// The fix that takes the predictions as they are.
fn smooth(context: &Context<'_>, term: &Term) -> Option<Fix> {
    let inner = match &term.kind {
        TermKind::Call(call) if matches!(call.last(), Some("round" | "rint" | "stop_gradient")) => {
            call.argument(0, "x")?
        }
        TermKind::Compare(">" | ">=", terms) if terms.get(1)?.number().is_some() => terms.first()?,
        TermKind::Call(call) if matches!(call.last(), Some("greater" | "greater_equal")) => {
            call.argument(1, "y")?.number()?;
            call.argument(0, "x")?
        }
        _ => return None,
    };
    Some(context.fix(
        "Take the predictions as they are",
        Applicability::Unsafe,
        term.range,
        inner.range.slice(context.text),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "import keras\nimport numpy as np\nimport tensorflow as tf\nfrom keras import backend as K\nSMOOTH = 1e-6\n";

    fn compiled(loss: &str, given: &str) -> String {
        // With `keras.ops` a script is one for Keras 3, whose backend has no functions.
        let ops = if loss.contains("ops.") {
            "from keras import ops\n"
        } else {
            ""
        };
        format!(
            "{HEAD}{ops}{loss}m = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nm.compile('adam', loss={given})\n"
        )
    }

    fn returning(value: &str) -> String {
        compiled(&format!("def f(t, p):\n    return {value}\n"), "f")
    }

    #[test]
    fn tables() {
        let tape = |loss: &str| {
            format!(
                "{HEAD}m = keras.Sequential([keras.layers.Dense(1, 'sigmoid')])\nbce = keras.losses.BinaryCrossentropy()\ndef step(x, y):\n    \
                 with tf.GradientTape() as tape:\n        p = m(x, training=True)\n        loss = {loss}\n    \
                 grads = tape.gradient(loss, m.trainable_variables)\n"
            )
        };
        let pass = [
            returning("1 - 2 * K.sum(t * p) / (K.sum(t) + K.sum(p) + SMOOTH)"),
            returning("K.mean(K.square(t - p) * tf.cast(p > 0.5, tf.float32))"),
            returning("p + tf.stop_gradient(tf.round(p) - p)"),
            returning("tf.where(p > 0.5, p - t, t - p)"),
            returning("K.mean(tf.cast(t > 0.5, tf.float32) * tf.cast(p, tf.float32))"),
            returning("helper(tf.round(p)) + z_mean"),
            returning("0.0 * t"),
            compiled(
                "@tf.custom_gradient\ndef hard(x):\n    return tf.round(x), lambda d: d\ndef f(t, p):\n    return K.mean(t - hard(p))\n",
                "f",
            ),
            // As a metric.
            compiled(
                "def f(t, p):\n    return K.mean(K.equal(t, K.round(p)))\n",
                "'mse', metrics=[f]",
            ),
            compiled(
                "def f(t, p):\n    h = K.round(p)\n    if tf.rank(p) > 1:\n        h = p\n    return K.mean(t * h)\n",
                "f",
            ),
            tape("bce(y, p)"),
            tape("bce(y, tf.round(p)) + sum(m.losses)"),
            tape("-tf.reduce_mean(tf.one_hot(tf.argmax(p, -1), 2) * tf.math.log(p))"),
        ];
        let fail = [
            (returning("1 - K.mean(t * K.round(p))"), "K.round(p)"),
            (returning("K.mean(K.cast(p > 0.5, 'float32') - t)"), "p > 0.5"),
            (
                returning("tf.reduce_mean(tf.where(tf.greater(p, 0.5), 1.0, 0.0) - t)"),
                "tf.greater(p, 0.5)",
            ),
            (
                returning("ops.mean(ops.cast(ops.argmax(p, axis=-1), 'float32') - t)"),
                "ops.argmax(p, axis=-1)",
            ),
            (
                returning("tf.reduce_mean(tf.abs(np.round(p) - t))"),
                "np.round(p)",
            ),
            (
                returning("K.mean(t - tf.cast(p, tf.int32))"),
                "tf.cast(p, tf.int32)",
            ),
            (
                returning("1 - keras.metrics.binary_accuracy(t, p)"),
                "keras.metrics.binary_accuracy(t, p)",
            ),
            (
                compiled(
                    "class F(keras.losses.Loss):\n    def call(self, y_true, y_pred):\n        hard = ops.sign(y_pred - 0.5)\n        return ops.mean(y_true * hard)\n",
                    "F()",
                ),
                "ops.sign(y_pred - 0.5)",
            ),
            (
                compiled(
                    "def recall(t, p):\n    return K.sum(t * K.round(K.clip(p, 0, 1))) / (K.sum(t) + K.epsilon())\ndef loss(t, p):\n    return 1 - recall(t, p)\n",
                    "loss",
                ),
                "K.round(K.clip(p, 0, 1))",
            ),
            (
                compiled(
                    "def make(threshold):\n    def inner(t, p):\n        hard = tf.cast(tf.math.greater(p, threshold), tf.float32)\n        return 1 - tf.reduce_mean(t * hard)\n    return inner\n",
                    "make(0.5)",
                ),
                "tf.math.greater(p, threshold)",
            ),
            (
                compiled("", "lambda t, p: K.mean(K.abs(t - K.round(p)))"),
                "K.round(p)",
            ),
            (tape("bce(y, tf.round(p))"), "tf.round(p)"),
            (
                tape("tf.reduce_mean(tf.square(y - m.predict(x)))"),
                "m.predict(x)",
            ),
        ];
        let fix = [
            (
                returning("1 - K.mean(t * K.round(p))"),
                returning("1 - K.mean(t * p)"),
            ),
            (
                returning("1 - K.mean(t * tf.cast(p > 0.5, tf.float32))"),
                returning("1 - K.mean(t * tf.cast(p, tf.float32))"),
            ),
        ];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
