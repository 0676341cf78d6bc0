//! Initial values of weights, as they are written.

use program::{Applied, Term, TermKind};

/// Whether an initializer gives a constant; and whether that is zero.
pub(crate) fn constant_initializer(initializer: &Term) -> Option<bool> {
    let (name, call) = match &initializer.kind {
        TermKind::Text(name) | TermKind::Name(name) | TermKind::Attribute(_, name) => (name.as_str(), None),
        TermKind::Call(call) => (
            call.path.as_deref()?.strip_prefix("keras.initializers.")?,
            Some(call),
        ),
        _ => return None,
    };
    match name.to_ascii_lowercase().as_str() {
        "zeros" | "zero" => Some(true),
        "ones" | "one" => Some(false),
        "constant" => match call.map(|call| call.argument(0, "value")) {
            None | Some(None) => Some(true),
            Some(Some(value)) => Some(value.number()? == 0.0),
        },
        _ => None,
    }
}

/// Where a weight of a layer of the script's own is made.
pub(crate) struct OwnWeight<'a> {
    /// What says how it starts, where that is a constant; and whether that is zero.
    pub constant: Option<(&'a Term, bool)>,
}

/// The matrix that a call makes (`add_weight`, `tf.Variable`); `None` for vectors, scalars and what does not learn.
pub(crate) fn own_matrix(call: &Applied) -> Option<OwnWeight<'_>> {
    let trainable = call.keyword("trainable").map(|trainable| &trainable.kind);
    if trainable.is_some_and(|trainable| *trainable != TermKind::Bool(true)) {
        return None;
    }
    match call.last()? {
        "add_weight" => {
            let positional = call.arguments.iter().filter(|(keyword, _)| keyword.is_none());
            let shape = call.keyword("shape").or_else(|| {
                positional
                    .map(|(_, value)| value)
                    .find(|value| matches!(value.kind, TermKind::List(_)))
            })?;
            is_matrix(shape).then_some(())?;
            let constant = call
                .keyword("initializer")
                .and_then(|initializer| Some((initializer, constant_initializer(initializer)?)));
            Some(OwnWeight { constant })
        }
        "Variable" | "variable" => {
            let value = call.argument(0, "initial_value")?;
            let made = value.call()?;
            let path = made.path.as_deref()?;
            let shape = made.argument(0, "shape")?;
            is_matrix(shape).then_some(())?;
            let constant = match path.rsplit('.').next()? {
                "zeros" => Some((value, true)),
                "ones" => Some((value, false)),
                _ => None,
            };
            Some(OwnWeight { constant })
        }
        _ => None,
    }
}

/// Whether a shape has two sizes that are not 1.
fn is_matrix(shape: &Term) -> bool {
    let TermKind::List(sizes) = &shape.kind else {
        return false;
    };
    sizes.len() >= 2 && sizes.iter().all(|size| size.number() != Some(1.0))
}
