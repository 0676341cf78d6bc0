//! # averaged-reconstruction (DL162)
//!
//! ## What it does
//! Finds variational autoencoders whose reconstruction error is averaged over the features (pixels) while the
//! Kullback-Leibler term is summed over the latent variables.
//!
//! ## Why it matters
//! The two belong to one sum over all features and all latents. Averaged over n features, the reconstruction error
//! weighs n times less than it should, so the Kullback-Leibler term rules: the encoder gives the same distribution for every
//! input (posterior collapse), and the decoder one blurred mean.
//!
//! ## Example
//! ```python
//! import tensorflow as tf
//! from tensorflow import keras
//! inputs = keras.Input((784,))
//! def vae_loss(x, decoded, mean, log_var):
//!     reconstruction = tf.reduce_mean(keras.losses.binary_crossentropy(x, decoded))
//!     kl = -0.5 * tf.reduce_sum(1 + log_var - tf.square(mean) - tf.exp(log_var), axis=1)
//!     return reconstruction + tf.reduce_mean(kl)
//! ```
//!
//! ## Use instead
//! ```python
//! import tensorflow as tf
//! from tensorflow import keras
//! inputs = keras.Input((784,))
//! def vae_loss(x, decoded, mean, log_var):
//!     reconstruction = 784 * tf.reduce_mean(keras.losses.binary_crossentropy(x, decoded))
//!     kl = -0.5 * tf.reduce_sum(1 + log_var - tf.square(mean) - tf.exp(log_var), axis=1)
//!     return reconstruction + tf.reduce_mean(kl)
//! ```
//!
//! ## Fix safety
//! Unsafe: the error is multiplied by the number of features, which makes the loss as a whole larger.
//!
//! ## References
//! - Kingma, Welling: Auto-Encoding Variational Bayes, 2014, equation 10
//! - Keras code example "Variational AutoEncoder", which sums over the pixels

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Statement, Term, TermKind, Value};

use crate::context::Context;
use crate::read::{Definitions, Formula, Loss, operation};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL162",
    name: "averaged-reconstruction",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("averaged_reconstruction.rs"),
};

/// Deeper formulas are not followed.
const DEEPEST: usize = 16;

/// With fewer features than this the average is no small part of the sum.
const FEW: i64 = 16;

/// A smaller weight of the Kullback-Leibler term makes up for the average.
const FULL: f64 = 0.1;

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let has = |word| context.text.contains(word);
    if !has("exp(") || !has("sum(") || !(has("square(") || has("**") || has("pow(")) {
        return Vec::new();
    }
    let features = features(context);
    if features.is_some_and(|features| features < FEW) {
        return Vec::new();
    }
    let definitions = Definitions::of(context.code());
    let blocks = definitions
        .functions
        .iter()
        .map(|defined| &defined.function.body[..]);
    let mut findings: Vec<Finding> = Vec::new();
    for block in blocks.chain([context.code()]) {
        let reading = Reading {
            formula: Formula::of_block(block),
            definitions: &definitions,
        };
        let Some(error) = reading.block(block) else {
            continue;
        };
        let number = features.map_or_else(|| "n".to_owned(), |features| features.to_string());
        let message = format!(
            "the reconstruction error is averaged over the features and the Kullback-Leibler term is summed over the latent variables, so \
             the reconstruction weighs {number} times less than it should: the encoder learns to ignore its input (posterior \
             collapse). Sum the error over the features too, or multiply it by their number"
        );
        let fix = features.map(|features| {
            context.fix(
                "Multiply by the number of features",
                Applicability::Unsafe,
                error.range,
                format!("{features} * {}", error.range.slice(context.text)),
            )
        });
        findings.push(Finding {
            severity: if features.is_some() {
                Severity::Warning
            } else {
                Severity::Information
            },
            confidence: if features.is_some() { 0.88 } else { 0.6 },
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, error.range, message)
        });
    }
    if features.is_some() {
        findings.extend(beside_added(context, &definitions));
    }
    findings
}

/// The loss of `compile`, an average, beside a sum that `add_loss` adds.
fn beside_added(context: &Context<'_>, definitions: &Definitions<'_>) -> Option<Finding> {
    const AVERAGES: [&str; 3] = ["mean_squared_error", "mean_absolute_error", "binary_crossentropy"];
    let blocks = definitions
        .functions
        .iter()
        .map(|defined| &defined.function.body[..]);
    let added = blocks.chain([context.code()]).any(|block| {
        let reading = Reading {
            formula: Formula::of_block(block),
            definitions,
        };
        program::own_statements(block)
            .into_iter()
            .flat_map(Statement::terms)
            .flat_map(Term::all)
            .filter_map(Term::call)
            .filter(|call| call.path.is_none() && call.last() == Some("add_loss"))
            .filter_map(|call| reading.divergence(&call.arguments.first()?.1, 0))
            .any(|weight| weight >= FULL)
    });
    let [compile] = context.program.compiles.as_slice() else {
        return None;
    };
    let loss = Loss::of(context.program, context.program.call(compile.call)).filter(|_| added)?;
    if !AVERAGES.contains(&loss.name) {
        return None;
    }
    let message = format!(
        "`{}` is an average over the features, and the Kullback-Leibler term that `add_loss` adds is a sum over the latent variables, so the \
         reconstruction weighs too little: the encoder learns to ignore its input (posterior collapse). Use a loss that sums over \
         the features, or give the added term a weight of 1 / their number",
        loss.written
    );
    Some(Finding {
        confidence: 0.85,
        ..context.finding(&INFO, loss.range, message)
    })
}

/// How many features a sample has: the largest input of the script.
fn features(context: &Context<'_>) -> Option<i64> {
    let shape = |call: &program::Call| {
        let argument = match call.callee.as_str() {
            "keras.Input" => call.argument("shape"),
            name if name.starts_with("keras.layers.") => call.argument("input_shape"),
            _ => None,
        }?;
        let Value::List(sizes) = &argument.value.value else {
            return None;
        };
        sizes.iter().try_fold(1_i64, |product, size| match size.value {
            Value::Int(size) if size > 0 => product.checked_mul(size),
            _ => None,
        })
    };
    context.program.calls.iter().filter_map(shape).max()
}

struct Reading<'d, 'a> {
    formula: Formula<'a>,
    definitions: &'d Definitions<'a>,
}

/// What a part of a loss is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role<'a> {
    /// The Kullback-Leibler term, summed, with its weight.
    Divergence(f64),
    /// The mean of the reconstruction error, where it stands.
    Mean(&'a Term),
}

impl<'a> Reading<'_, 'a> {
    /// The reconstruction error of the loss that a block makes.
    fn block(&self, block: &'a [Statement]) -> Option<&'a Term> {
        let sums = program::own_statements(block)
            .into_iter()
            .flat_map(Statement::terms)
            .flat_map(Term::all)
            .filter(|term| matches!(&term.kind, TermKind::Binary("+", ..)));
        sums.into_iter().find_map(|sum| {
            let mut parts = Vec::new();
            self.parts(sum, 0, &mut parts);
            let heavy = |part: &&Role<'a>| matches!(part, Role::Divergence(weight) if *weight >= FULL);
            let error = parts.iter().find_map(|part| match part {
                Role::Mean(term) => Some(*term),
                Role::Divergence(_) => None,
            });
            error.filter(|_| parts.iter().any(|part| heavy(&part)))
        })
    }

    /// The parts of a sum that are understood.
    fn parts(&self, term: &'a Term, depth: usize, found: &mut Vec<Role<'a>>) {
        if depth > DEEPEST {
            return;
        }
        let term = self.formula.value(term);
        if let TermKind::Binary("+", left, right) = &term.kind {
            self.parts(left, depth + 1, found);
            self.parts(right, depth + 1, found);
        } else if let Some(weight) = self.divergence(term, 0) {
            found.push(Role::Divergence(weight));
        } else if self.is_mean_error(term, 0) {
            found.push(Role::Mean(term));
        }
    }

    /// The weight of the Kullback-Leibler term that an expression is, when that is summed over the latents.
    fn divergence(&self, term: &'a Term, depth: usize) -> Option<f64> {
        let term = self.formula.value(term);
        if depth > DEEPEST {
            return None;
        }
        if let Some((factor, inner)) = self.product(term) {
            return Some(self.divergence(inner, depth + 1)? * factor.abs());
        }
        match &term.kind {
            TermKind::Unary("-", inner) => self.divergence(inner, depth + 1),
            TermKind::Call(call) => {
                let inner = reduced(term)?;
                match call.last()? {
                    // Twice the term: it comes with a half.
                    "sum" | "reduce_sum" => Some(2.0 * self.kullback_leibler(inner, depth + 1)?),
                    "mean" | "reduce_mean" => self.divergence(inner, depth + 1),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The weight of `1 + log_var - mean² - exp(log_var)`, in whatever order and with whatever signs.
    fn kullback_leibler(&self, term: &'a Term, depth: usize) -> Option<f64> {
        let term = self.formula.value(term);
        if depth > DEEPEST {
            return None;
        }
        if let Some((factor, inner)) = self.product(term) {
            return Some(self.kullback_leibler(inner, depth + 1)? * factor.abs());
        }
        if let TermKind::Unary("-", inner) = &term.kind {
            return self.kullback_leibler(inner, depth + 1);
        }
        let mut parts = Vec::new();
        self.signed(term, true, &mut parts, 0);
        let [_, _, _, _] = parts.as_slice() else {
            return None;
        };
        let one = parts.iter().find(|(_, part)| part.number() == Some(1.0))?.0;
        let is = |part: &'a Term, wanted: &str| part.call().is_some_and(|call| call.last() == Some(wanted));
        let square = |part: &'a Term| {
            is(part, "square") || is(part, "pow") || matches!(&part.kind, TermKind::Binary("**" | "*", ..))
        };
        let squares = parts
            .iter()
            .filter(|(sign, part)| *sign != one && square(part))
            .count();
        let exponentials = parts
            .iter()
            .filter(|(sign, part)| *sign != one && is(part, "exp"))
            .count();
        // `1 + log(σ²) - μ² - σ²`
        let logarithms = parts
            .iter()
            .filter(|(sign, part)| *sign == one && is(part, "log"))
            .count();
        let known = (squares == 1 && exponentials == 1) || (squares == 2 && logarithms == 1);
        known.then_some(1.0)
    }

    /// The parts of a sum with their signs.
    fn signed(&self, term: &'a Term, plus: bool, parts: &mut Vec<(bool, &'a Term)>, depth: usize) {
        let value = self.formula.value(term);
        match operation(value) {
            Some((sign @ ("+" | "-"), terms)) if depth <= DEEPEST => {
                if let [left, right] = terms.as_slice() {
                    self.signed(left, plus, parts, depth + 1);
                    self.signed(right, plus == (sign == "+"), parts, depth + 1);
                }
            }
            _ => parts.push((plus, value)),
        }
    }

    /// A number times something.
    fn product(&self, term: &'a Term) -> Option<(f64, &'a Term)> {
        let TermKind::Binary("*", left, right) = &term.kind else {
            return None;
        };
        let number = |term: &'a Term| {
            let value = match term.name() {
                Some(name) => self
                    .definitions
                    .assigned(name)
                    .unwrap_or(self.formula.value(term)),
                None => term,
            };
            value.number()
        };
        match (number(left), number(right)) {
            (Some(factor), None) => Some((factor, right)),
            (None, Some(factor)) => Some((factor, left)),
            _ => None,
        }
    }

    /// Whether an expression is the error of a reconstruction, averaged over all there is.
    fn is_mean_error(&self, term: &'a Term, depth: usize) -> bool {
        let term = self.formula.value(term);
        let Some(call) = term.call() else { return false };
        if depth > DEEPEST {
            return false;
        }
        if is_keras_error(call) {
            return true;
        }
        let axis = call.keyword("axis").is_some() || (call.path.is_some() && call.arguments.len() > 1);
        if !matches!(call.last(), Some("mean" | "reduce_mean")) || axis {
            return false;
        }
        reduced(term).is_some_and(|inner| self.is_error(inner, depth + 1))
    }

    /// Whether an expression has an error for each feature, or Keras' mean of them.
    fn is_error(&self, term: &'a Term, depth: usize) -> bool {
        let term = self.formula.value(term);
        if depth > DEEPEST {
            return false;
        }
        if let Some(call) = term.call() {
            return match call.last() {
                Some("square" | "abs" | "absolute" | "squared_difference") => true,
                Some("mean" | "reduce_mean") => {
                    reduced(term).is_some_and(|inner| self.is_error(inner, depth + 1))
                }
                _ => is_keras_error(call),
            };
        }
        match &term.kind {
            TermKind::Unary("-", inner) => self.is_error(inner, depth + 1),
            TermKind::Binary("**", base, _) => matches!(operation(self.formula.value(base)), Some(("-", _))),
            // x · log(r) + (1 - x) · log(1 - r)
            TermKind::Binary("+", left, right) => {
                self.is_weighted_logarithm(left) && self.is_weighted_logarithm(right)
            }
            _ => false,
        }
    }

    fn is_weighted_logarithm(&self, term: &'a Term) -> bool {
        let Some(("*", factors)) = operation(self.formula.value(term)) else {
            return false;
        };
        factors.into_iter().any(|factor| {
            let factor = self.formula.value(factor);
            factor.call().is_some_and(|call| call.last() == Some("log"))
        })
    }
}

/// What a mean or sum runs over.
fn reduced(term: &Term) -> Option<&Term> {
    match operation(term)? {
        ("of", terms) => terms.first().copied(),
        _ => None,
    }
}

/// `keras.losses.mse(x, r)` and its like, and objects of the losses that are called at once.
fn is_keras_error(call: &program::Applied) -> bool {
    const NAMES: [&str; 10] = [
        "mse",
        "mae",
        "MSE",
        "MAE",
        "mean_squared_error",
        "mean_absolute_error",
        "binary_crossentropy",
        "MeanSquaredError",
        "MeanAbsoluteError",
        "BinaryCrossentropy",
    ];
    let made = call.function.call();
    let path = match made {
        Some(made) if made.keyword("reduction").is_none() => made.path.as_deref(),
        Some(_) => None,
        None => call.path.as_deref(),
    };
    call.arguments.len() >= 2
        && path
            .and_then(|path| path.strip_prefix("keras.losses."))
            .is_some_and(|name| NAMES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "import tensorflow as tf\nimport keras\nfrom keras import ops\ninputs = keras.Input((28, 28, 1))\n";
    const KL: &str = "-0.5 * tf.reduce_sum(1 + v - tf.square(m) - tf.exp(v), axis=1)";

    fn step(error: &str, kl: &str, total: &str) -> String {
        format!(
            "{HEAD}class V(keras.Model):\n    def train_step(self, x):\n        with tf.GradientTape() as tape:\n            m, v, z = self.e(x)\n            \
             r = self.d(z)\n            error = {error}\n            kl = {kl}\n            loss = {total}\n"
        )
    }

    #[test]
    fn tables() {
        let mean = "tf.reduce_mean(keras.losses.binary_crossentropy(x, r))";
        let total = "error + tf.reduce_mean(kl)";
        let layer = |kl: &str, loss: &str| {
            format!(
                "{HEAD}class S(keras.layers.Layer):\n    def call(self, inputs):\n        m, v = inputs\n        kl = {kl}\n        \
                 self.add_loss(tf.reduce_mean(kl))\n        return m\n\
                 vae = keras.Model(inputs, decoder(S()(encoder(inputs))))\nvae.compile('adam', loss={loss})\n"
            )
        };
        let pass = [
            layer(&KL.replace("-0.5", "-5e-4"), "'mse'"),
            layer(&KL.replace("reduce_sum", "reduce_mean"), "'mse'"),
            layer(KL, "sum_of_squares"),
            step(
                "tf.reduce_mean(tf.reduce_sum(keras.losses.binary_crossentropy(x, r), axis=(1, 2)))",
                KL,
                total,
            ),
            step(&format!("{mean} * 784"), KL, total),
            step(&format!("self.pixels * {mean}"), KL, total),
            step(mean, KL, "error + 1e-3 * tf.reduce_mean(kl)"),
            step(mean, KL, "error + self.beta * tf.reduce_mean(kl)"),
            step(
                mean,
                "-0.5 * tf.reduce_mean(1 + v - tf.square(m) - tf.exp(v))",
                "error + kl",
            ),
            step("tf.reduce_sum(tf.square(x - r))", KL, total),
            step("tf.reduce_mean(tf.square(x - r), axis=0)", KL, total),
            step(mean, KL, total).replace("(28, 28, 1)", "(2,)"),
        ];
        let fail = [
            (layer(KL, "'mse'"), "'mse'"),
            (step(mean, KL, total), mean),
            (step("ops.mean(ops.square(x - r))", "ops.sum(-0.5 * (1 + v - m ** 2 - ops.exp(v)), axis=-1)", "error + ops.mean(kl)"), "ops.mean(ops.square(x - r))"),
            (step("ops.mean(-(x * ops.log(r) + (1 - x) * ops.log(1 - r)))", "0.5 * ops.sum(ops.exp(v) + ops.square(m) - 1 - v, axis=1)", "ops.mean(kl) + error"), "ops.mean(-(x * ops.log(r) + (1 - x) * ops.log(1 - r)))"),
            (step("keras.losses.MeanSquaredError()(x, r)", KL, total), "keras.losses.MeanSquaredError()(x, r)"),
            (
                format!("{HEAD}def loss(x, r):\n    return keras.losses.mse(x, r) - 0.0 + 0.5 * tf.reduce_sum(m ** 2 + tf.exp(v) - v - 1, axis=-1)\n").replace(" - 0.0", ""),
                "keras.losses.mse(x, r)",
            ),
        ];
        let fix = [(step(mean, KL, total), step(&format!("784 * {mean}"), KL, total))];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
