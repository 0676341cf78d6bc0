//! # zero-matrices (DL661)
//!
//! ## What it does
//! Finds layers of the script's own whose weight matrix starts from a constant (`add_weight(..., initializer="zeros")`,
//! `tf.Variable(tf.zeros((n, m)))`) and that are applied one after the other.
//!
//! ## Why it matters
//! What reaches the weights of one layer goes through the matrix of the other. With zeros nothing passes, neither signal nor
//! gradient, and the layers never learn; with another constant all units of a layer stay equal. Biases and scales may
//! start at zero or one, and so may the last matrix, where those before it are random.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import ops
//! class Linear(keras.layers.Layer):
//!     def __init__(self, units):
//!         super().__init__()
//!         self.units = units
//!     def build(self, input_shape):
//!         self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="zeros")
//!     def call(self, inputs):
//!         return ops.relu(ops.matmul(inputs, self.w))
//! model = keras.Sequential([Linear(32), Linear(1)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import ops
//! class Linear(keras.layers.Layer):
//!     def __init__(self, units):
//!         super().__init__()
//!         self.units = units
//!     def build(self, input_shape):
//!         self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform")
//!     def call(self, inputs):
//!         return ops.relu(ops.matmul(inputs, self.w))
//! model = keras.Sequential([Linear(32), Linear(1)])
//! ```
//!
//! ## Fix safety
//! Unsafe: Keras' default for kernels, glorot_uniform, is put in.
//!
//! ## References
//! - `keras.layers.Layer.add_weight`
//! - Goodfellow, Bengio, Courville: Deep Learning, section 8.4

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Applied, Statement, StatementKind, Term, TermKind, own_statements, statements};

use crate::context::Context;
use crate::read::{Definitions, only_value, own_matrix, way};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL661",
    name: "zero-matrices",
    kind: Kind::WeightInit,
    severity: Severity::Error,
    source: include_str!("zero_matrices.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let has = |words: &[&str]| words.iter().any(|word| context.text.contains(word));
    if !has(&["add_weight", "Variable", "variable"]) || !has(&["zeros", "Zeros", "ones", "Ones", "onstant"]) {
        return Vec::new();
    }
    let code = context.code();
    let mut findings = Vec::new();
    for statement in statements(code) {
        let StatementKind::Class(name, bases, body) = &statement.kind else {
            continue;
        };
        if bases.is_empty() {
            continue;
        }
        let Some((initial, zero)) = constant_matrix(body) else {
            continue;
        };
        if !is_stacked(code, name) {
            continue;
        }
        let message = if zero {
            format!(
                "the weight matrix of `{name}` starts at zero, and layers of this class are applied one after the other: neither signal nor \
                 gradient passes them, so they never learn. Start matrices from small random numbers; zeros are for biases"
            )
        } else {
            format!(
                "the weight matrix of `{name}` starts from one number, so all units compute the same and stay equal. Start \
                 matrices from small random numbers"
            )
        };
        let replaces = matches!(&initial.kind, TermKind::Text(_));
        let fix = replaces.then(|| {
            context.fix(
                "Start from random weights",
                Applicability::Unsafe,
                initial.range,
                context.quoted("glorot_uniform"),
            )
        });
        findings.push(Finding {
            severity: if zero { Severity::Error } else { Severity::Warning },
            confidence: if zero { 0.95 } else { 0.88 },
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, initial.range, message)
        });
    }
    findings
}

/// What says how the matrices of a class start, where all of them start from a constant and are what its input is
/// multiplied with.
fn constant_matrix(body: &[Statement]) -> Option<(&Term, bool)> {
    let mut found: Option<(&Term, bool)> = None;
    let mut names: Vec<&str> = Vec::new();
    for statement in statements(body) {
        let StatementKind::Assign { target, value, .. } = &statement.kind else {
            continue;
        };
        let (TermKind::Attribute(object, name), Some(call)) = (&target.kind, value.call()) else {
            continue;
        };
        if object.name() != Some("self") {
            continue;
        }
        if call
            .path
            .as_deref()
            .is_some_and(|path| path.starts_with("keras.layers."))
        {
            return None;
        }
        if let Some(matrix) = own_matrix(call) {
            // One random matrix is enough for the others to learn.
            found = found.or(Some(matrix.constant?));
            names.push(name);
        }
    }
    let definitions = Definitions::of(body);
    let call = definitions.function("call")?.function;
    let input = call.parameters.get(1).map(|(name, _)| name.as_str())?;
    let terms = || {
        statements(&call.body)
            .into_iter()
            .flat_map(Statement::terms)
            .flat_map(Term::all)
    };
    let is_own =
        |term: &Term| matches!(&term.kind, TermKind::Attribute(_, name) if names.contains(&name.as_str()));
    let multiplies = terms().any(|term| match &term.kind {
        TermKind::Binary("@", left, right) => is_own(left) || is_own(right),
        TermKind::Call(call) => {
            matches!(call.last(), Some("matmul" | "dot" | "tensordot" | "einsum"))
                && call.arguments.iter().any(|(_, value)| is_own(value))
        }
        _ => false,
    });
    // A branch beside the input that starts at nothing.
    let residual = terms().any(|term| {
        matches!(&term.kind, TermKind::Binary("+", left, right) if left.name() == Some(input) || right.name() == Some(input))
            || term.call().is_some_and(|call| {
                call.last() == Some("add") && call.arguments.iter().any(|(_, value)| value.name() == Some(input))
            })
    });
    found.filter(|_| multiplies && !residual)
}

/// Whether a layer of a class is applied to what another of that class gives.
fn is_stacked(code: &[Statement], class: &str) -> bool {
    let makes = |call: &Applied| call.function.name() == Some(class);
    let is_made = |term: &Term| term.call().is_some_and(makes);
    let in_list = |term: &Term| match term.call() {
        Some(call) if call.path.as_deref() == Some("keras.Sequential") => {
            let list = call.arguments.first().map(|(_, layers)| &layers.kind);
            matches!(list, Some(TermKind::List(layers)) if layers.iter().filter(|layer| is_made(layer)).count() > 1)
        }
        _ => false,
    };
    let is_added = |term: &Term| match term.call() {
        Some(call) if call.path.is_none() && call.last() == Some("add") => {
            call.arguments.first().is_some_and(|(_, layer)| is_made(layer))
        }
        _ => false,
    };
    let applied = |term: &Term| {
        term.call().is_some_and(|call| match &call.function.kind {
            TermKind::Call(layer) => makes(layer),
            TermKind::Name(_) | TermKind::Attribute(..) if call.path.is_none() => {
                only_value(code, &call.function).is_some_and(is_made)
            }
            _ => false,
        })
    };
    if is_repeated(code, is_made, applied) {
        return true;
    }
    let definitions = Definitions::of(code);
    let blocks = definitions
        .functions
        .iter()
        .map(|defined| &defined.function.body[..]);
    blocks.chain([code]).any(|block| {
        let terms: Vec<&Term> = own_statements(block)
            .into_iter()
            .flat_map(Statement::terms)
            .flat_map(Term::all)
            .collect();
        let added = terms.iter().filter(|term| is_added(term)).count();
        added > 1
            || terms.iter().any(|term| in_list(term))
            || terms
                .iter()
                .filter(|term| applied(term))
                .any(|term| way(block, term).into_iter().skip(1).any(&applied))
    })
}

/// Whether a loop adds such layers to a model, or applies one after the other to what the one before gave.
fn is_repeated(code: &[Statement], is_made: impl Fn(&Term) -> bool, applied: impl Fn(&Term) -> bool) -> bool {
    let all = || {
        statements(code)
            .into_iter()
            .flat_map(Statement::terms)
            .flat_map(Term::all)
    };
    // `[Linear(8) for _ in range(3)]`
    let in_comprehension = all().any(|term| match &term.kind {
        TermKind::Other(parts) => parts.len() > 1 && parts.first().is_some_and(&is_made),
        _ => false,
    });
    statements(code).into_iter().any(|statement| {
        let StatementKind::For(item, _, body) = &statement.kind else {
            return false;
        };
        statements(body).into_iter().any(|inner| match &inner.kind {
            StatementKind::Assign { target, value, .. } => value.call().is_some_and(|call| {
                let feeds = call
                    .arguments
                    .first()
                    .is_some_and(|(_, given)| given.name() == target.name());
                let each = item.name().is_some() && call.function.name() == item.name();
                target.name().is_some()
                    && feeds
                    && (applied(value) && call.function.call().is_some() || each && in_comprehension)
            }),
            StatementKind::Expression(term) => term.call().is_some_and(|call| {
                call.path.is_none()
                    && call.last() == Some("add")
                    && call.arguments.first().is_some_and(|(_, layer)| is_made(layer))
            }),
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(weights: &str, call: &str, model: &str) -> String {
        format!(
            "import tensorflow as tf\nfrom tensorflow import keras\nclass Own(keras.layers.Layer):\n    def __init__(self, n):\n        \
             super().__init__()\n        self.n = n\n    def build(self, shape):\n        {weights}\n    def call(self, x):\n        \
             return {call}\n{model}\n"
        )
    }

    #[test]
    fn tables() {
        let zeros = "self.w = self.add_weight(shape=(shape[-1], self.n), initializer='zeros')";
        let bias = "self.b = self.add_weight(shape=(self.n,), initializer='zeros')";
        let matmul = "tf.nn.relu(tf.matmul(x, self.w))";
        let two = "m = keras.Sequential([Own(8), Own(1)])";
        let pass = [
            script(&zeros.replace("zeros", "glorot_uniform"), matmul, two),
            script(&zeros.replace(", initializer='zeros'", ""), matmul, two),
            // One layer alone, the output for example.
            script(
                zeros,
                matmul,
                "m = keras.Sequential([keras.layers.Dense(8, 'relu'), Own(1)])",
            ),
            script(zeros, "x + tf.matmul(x, self.w)", two),
            script(zeros, "x * self.w", two),
            script(bias, "x + self.b", two),
            script(
                "self.w = self.add_weight(shape=(self.n, 1), initializer='zeros')",
                matmul,
                two,
            ),
            script(
                &format!(
                    "self.a = self.add_weight(shape=(shape[-1], 4), initializer='he_normal')\n        {zeros}"
                ),
                "tf.matmul(tf.matmul(x, self.a), self.w)",
                two,
            ),
            script(&zeros.replace("'zeros'", "'zeros', trainable=False"), matmul, two),
            script(
                zeros,
                matmul,
                "a, b = keras.Input((4,)), keras.Input((4,))\nm = keras.Model([a, b], [Own(1)(a), Own(1)(b)])",
            ),
        ];
        let fail = [
            (script(zeros, matmul, two), "'zeros'"),
            (
                script(
                    zeros,
                    matmul,
                    "m = keras.Sequential()\nfor n in (8, 8, 1):\n    m.add(Own(n))",
                ),
                "'zeros'",
            ),
            (
                script(
                    zeros,
                    matmul,
                    "class M(keras.Model):\n    def __init__(self):\n        super().__init__()\n        self.parts = [Own(8) for _ in range(3)]\n    def call(self, x):\n        for part in self.parts:\n            x = part(x)\n        return x",
                ),
                "'zeros'",
            ),
            (
                script(
                    &format!("{bias}\n        {zeros}"),
                    "x @ self.w + self.b",
                    "i = keras.Input((4,))\nh = Own(8)(i)\nh = tf.nn.relu(h)\nm = keras.Model(i, Own(1)(h))",
                ),
                "'zeros'",
            ),
            (
                script(
                    "self.w = tf.Variable(tf.zeros((shape[-1], self.n)))",
                    "tf.nn.relu(x @ self.w)",
                    "m = keras.Sequential()\nm.add(Own(8))\nm.add(Own(1))",
                ),
                "tf.zeros((shape[-1], self.n))",
            ),
            (
                script(
                    &zeros.replace("'zeros'", "keras.initializers.Zeros()"),
                    matmul,
                    "class M(keras.Model):\n    def __init__(self):\n        super().__init__()\n        self.p = Own(8)\n        self.q = Own(1)\n    def call(self, x):\n        y = self.p(x)\n        return self.q(y)",
                ),
                "keras.initializers.Zeros()",
            ),
        ];
        let fix = [(
            script(zeros, matmul, two),
            script(&zeros.replace("zeros", "glorot_uniform"), matmul, two),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
