//! # zero-factors (DL660)
//!
//! ## What it does
//! Finds two embeddings that are multiplied with one another (matrix factorisation, a dot product of users and items) and
//! both start from a constant, zero above all.
//!
//! ## Why it matters
//! The gradient of each factor is the other one. Where both are zero, both gradients are zero, so neither ever changes; where
//! both are another constant, all their columns stay equal and act as one.
//!
//! ## Example
//! ```python
//! from tensorflow.keras import layers
//! users = layers.Embedding(1000, 16, embeddings_initializer="zeros")(user)
//! items = layers.Embedding(500, 16, embeddings_initializer="zeros")(item)
//! rating = layers.Dot(axes=-1)([users, items])
//! ```
//!
//! ## Use instead
//! ```python
//! from tensorflow.keras import layers
//! users = layers.Embedding(1000, 16)(user)
//! items = layers.Embedding(500, 16)(item)
//! rating = layers.Dot(axes=-1)([users, items])
//! ```
//!
//! ## Fix safety
//! Unsafe: both start from Keras' default, small random numbers. It would be enough for one of them.
//!
//! ## References
//! - Koren, Bell, Volinsky: Matrix Factorization Techniques for Recommender Systems, 2009
//! - Goodfellow, Bengio, Courville: Deep Learning, section 8.4

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Applied, Statement, Term, TermKind, own_statements};

use crate::context::Context;
use crate::read::{Definitions, constant_initializer, only_value, way};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL660",
    name: "zero-factors",
    kind: Kind::WeightInit,
    severity: Severity::Error,
    source: include_str!("zero_factors.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    if !context.text.contains("embeddings_initializer") {
        return Vec::new();
    }
    let code = context.code();
    let definitions = Definitions::of(code);
    let blocks = definitions
        .functions
        .iter()
        .map(|defined| &defined.function.body[..]);
    let mut findings: Vec<Finding> = Vec::new();
    for block in blocks.chain([code]) {
        let terms = own_statements(block)
            .into_iter()
            .flat_map(Statement::terms)
            .flat_map(Term::all);
        for factors in terms.filter_map(factors) {
            let made = factors.map(|factor| embedding(code, block, factor));
            let [Some(first), Some(second)] = made else {
                continue;
            };
            if std::ptr::eq(first, second) {
                continue;
            }
            let starts = [first, second].map(|call| {
                let initializer = call.keyword("embeddings_initializer")?;
                Some((initializer, constant_initializer(initializer)?))
            });
            let [Some((one, one_zero)), Some((other, other_zero))] = starts else {
                continue;
            };
            let zero = one_zero && other_zero;
            if one_zero != other_zero {
                continue;
            }
            let message = if zero {
                "both embeddings that are multiplied here start at zero; the gradient of each is the other, so neither ever changes. \
                 Leave `embeddings_initializer` at its default for one of them at least"
            } else {
                "both embeddings that are multiplied here start from one number, so all their columns get the same gradient and stay \
                 equal. Leave `embeddings_initializer` at its default"
            };
            let random = context.quoted("uniform");
            let fix = context.fix_all(
                "Start from random numbers",
                Applicability::Unsafe,
                vec![(one.range, random.clone()), (other.range, random)],
            );
            findings.push(Finding {
                severity: if zero { Severity::Error } else { Severity::Warning },
                confidence: if zero { 0.96 } else { 0.88 },
                fixes: vec![fix],
                ..context.finding(&INFO, one.range, message)
            });
        }
    }
    findings
}

/// The two things that an expression multiplies.
fn factors<'a>(term: &'a Term) -> Option<[&'a Term; 2]> {
    let of_list = |term: &'a Term| match &term.kind {
        TermKind::List(terms) if terms.len() == 2 => Some([terms.first()?, terms.get(1)?]),
        _ => None,
    };
    match &term.kind {
        TermKind::Binary("*" | "@", left, right) => Some([&**left, &**right]),
        TermKind::Call(call) => {
            // `Dot(axes=1)([a, b])`
            if let Some(layer) = call.function.call() {
                let multiplies = matches!(
                    layer.path.as_deref()?,
                    "keras.layers.Dot" | "keras.layers.Multiply"
                );
                return of_list(&call.arguments.first().filter(|_| multiplies)?.1);
            }
            let path = call.path.as_deref()?;
            let mut tensors = call
                .arguments
                .iter()
                .map(|(_, value)| value)
                .filter(|value| !matches!(value.kind, TermKind::Text(_) | TermKind::Number(_)));
            match path.rsplit('.').next()? {
                "dot" | "multiply" if path.starts_with("keras.layers.") => of_list(tensors.next()?),
                "multiply" | "matmul" | "dot" | "einsum" | "tensordot" | "vecdot" | "batch_dot" | "inner" => {
                    Some([tensors.next()?, tensors.next()?])
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The call of `Embedding` whose rows an expression gives, be they in another shape.
fn embedding<'a>(code: &'a [Statement], block: &'a [Statement], factor: &'a Term) -> Option<&'a Applied> {
    for term in way(block, factor) {
        let call = match &term.kind {
            TermKind::Call(call) => call,
            TermKind::Name(_) | TermKind::Subscript(..) => continue,
            _ => return None,
        };
        let layer = match &call.function.kind {
            TermKind::Call(layer) => Some(layer),
            TermKind::Name(_) | TermKind::Attribute(..) if call.path.is_none() => {
                only_value(code, &call.function).and_then(Term::call)
            }
            _ => None,
        };
        let class = layer.unwrap_or(call).path.as_deref()?.rsplit('.').next()?;
        match class {
            "Embedding" => return layer,
            "Flatten" | "Reshape" | "Dropout" | "SpatialDropout1D" | "flatten" | "reshape" | "squeeze"
            | "expand_dims" => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functional(first: &str, second: &str, product: &str) -> String {
        format!(
            "import tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import layers as L\na = keras.Input((1,))\nb = keras.Input((1,))\n\
             u = L.Embedding(9, 4{first})(a)\nu = L.Flatten()(u)\nv = L.Flatten()(L.Embedding(9, 4{second})(b))\n\
             m = keras.Model([a, b], {product})\n"
        )
    }

    fn class(first: &str, second: &str, result: &str) -> String {
        format!(
            "import tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import layers as L\nclass M(keras.Model):\n    \
             def __init__(self):\n        super().__init__()\n        self.p = L.Embedding(9, 4{first})\n        self.q = L.Embedding(9, 4{second})\n    \
             def call(self, x):\n        p = self.p(x[:, 0])\n        q = self.q(x[:, 1])\n        return {result}\n"
        )
    }

    #[test]
    fn tables() {
        let (zero, random) = (
            ", embeddings_initializer='zeros'",
            ", embeddings_initializer='he_normal'",
        );
        let dot = "L.Dot(axes=1)([u, v])";
        let pass = [
            functional(zero, "", dot),
            functional(random, random, dot),
            functional(zero, zero, "L.Add()([u, v])"),
            functional(zero, zero, "L.Dense(1)(L.Concatenate()([u, v]))"),
            functional(zero, ", embeddings_initializer='ones'", dot),
            functional(zero, zero, "L.Dot(axes=1)([L.Dense(4)(u), v])"),
            class(zero, zero, "p + q"),
            class(zero, random, "tf.reduce_sum(p * q, axis=1)"),
            class(zero, zero, "p * 2"),
        ];
        let fail = [
            (functional(zero, zero, dot), "'zeros'"),
            (functional(zero, zero, "L.multiply([u, v])"), "'zeros'"),
            (class(zero, zero, "tf.reduce_sum(p * q, axis=1)"), "'zeros'"),
            (class(zero, zero, "tf.einsum('bk,bk->b', p, q)"), "'zeros'"),
            (
                class(
                    ", embeddings_initializer=keras.initializers.Constant(0.1)",
                    ", embeddings_initializer='ones'",
                    "tf.multiply(p, q)",
                ),
                "keras.initializers.Constant(0.1)",
            ),
        ];
        let start = ", embeddings_initializer='uniform'";
        let fix = [(functional(zero, zero, dot), functional(start, start, dot))];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
