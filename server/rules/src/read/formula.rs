//! The formula of a loss: its variables replaced by what they stand for.

use std::collections::HashMap;

use program::{Function, Statement, StatementKind, Term, TermKind, own_statements};

use super::definitions::{LossBody, OwnLoss};

/// Variables that stand for one another more often were not written by hand.
const LONGEST: usize = 12;

/// Functions and methods that give their argument in another type, shape or range.
const KEEPING: [&str; 18] = [
    "cast",
    "flatten",
    "reshape",
    "squeeze",
    "expand_dims",
    "convert_to_tensor",
    "convert_to_numpy",
    "batch_flatten",
    "astype",
    "round",
    "clip",
    "clip_by_value",
    "sigmoid",
    "softmax",
    "constant",
    "identity",
    "maximum",
    "minimum",
];

/// The two things a loss compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Labels,
    Predictions,
}

/// A loss, to be asked what its parts stand for.
pub(crate) struct Formula<'a> {
    labels: &'a str,
    predictions: &'a str,
    /// What each variable is given; `None` for those whose value is not one expression.
    values: HashMap<&'a str, Option<&'a Term>>,
}

impl<'a> Formula<'a> {
    pub(crate) fn of(loss: &OwnLoss<'a>) -> Self {
        match loss.body {
            LossBody::Function(function) => Formula::of_function(function, loss.labels, loss.predictions),
            LossBody::Lambda(_) => Formula {
                labels: loss.labels,
                predictions: loss.predictions,
                values: HashMap::new(),
            },
        }
    }

    pub(crate) fn of_function(function: &'a Function, labels: &'a str, predictions: &'a str) -> Self {
        Formula {
            labels,
            predictions,
            ..Formula::of_block(&function.body)
        }
    }

    /// Of a block that has no parameters.
    pub(crate) fn of_block(block: &'a [Statement]) -> Self {
        let mut values: HashMap<&'a str, Option<&'a Term>> = HashMap::new();
        let mut set = |target: &'a Term, value: Option<&'a Term>| {
            if let Some(name) = target.name() {
                values
                    .entry(name)
                    .and_modify(|known| *known = None)
                    .or_insert(value);
            }
        };
        for statement in own_statements(block) {
            match &statement.kind {
                StatementKind::Assign {
                    target,
                    value,
                    operator,
                } => match (&target.kind, &value.kind) {
                    (TermKind::List(targets), TermKind::List(parts)) if targets.len() == parts.len() => {
                        for (target, part) in targets.iter().zip(parts) {
                            set(target, Some(part));
                        }
                    }
                    (TermKind::List(targets), _) => {
                        for target in targets {
                            set(target, None);
                        }
                    }
                    _ => set(target, operator.is_none().then_some(value)),
                },
                StatementKind::For(target, ..) => set(target, None),
                _ => {}
            }
        }
        Formula {
            labels: "",
            predictions: "",
            values,
        }
    }

    /// What an expression stands for.
    pub(crate) fn value(&self, term: &'a Term) -> &'a Term {
        let mut term = term;
        for _ in 0..LONGEST {
            let Some(name) = term.name().filter(|name| self.parameter(name).is_none()) else {
                break;
            };
            match self.values.get(name) {
                Some(Some(value)) => term = value,
                _ => break,
            }
        }
        term
    }

    fn parameter(&self, name: &str) -> Option<Side> {
        if name == self.labels {
            Some(Side::Labels)
        } else if name == self.predictions {
            Some(Side::Predictions)
        } else {
            None
        }
    }

    /// Whether an expression is the labels or the predictions, be it in another type, shape or range.
    pub(crate) fn side(&self, term: &'a Term) -> Option<Side> {
        let mut term = term;
        for _ in 0..LONGEST {
            term = self.value(term);
            term = match &term.kind {
                TermKind::Name(name) => return self.parameter(name),
                TermKind::Subscript(object, _) => object,
                TermKind::Call(call) if KEEPING.contains(&call.last()?) => match &call.path {
                    Some(_) => {
                        &call
                            .arguments
                            .iter()
                            .find(|(_, value)| value.number().is_none())?
                            .1
                    }
                    None => call.receiver()?,
                },
                _ => return None,
            };
        }
        None
    }

    /// Whether an expression has to do with the labels or the predictions at all.
    pub(crate) fn mentions(&self, term: &'a Term, side: Side) -> bool {
        let mut open = vec![term];
        for _ in 0..LONGEST * 16 {
            let Some(term) = open.pop() else { return false };
            if let Some(name) = term.name()
                && self.parameter(name) == Some(side)
            {
                return true;
            }
            let value = self.value(term);
            if std::ptr::eq(value, term) {
                open.extend(term.parts());
            } else {
                open.push(value);
            }
        }
        false
    }
}

/// What an expression does with which others: an operator (`+`), whether it is written as one or as a function
/// (`tf.add`); `of` for sums, means and growing functions of one thing.
pub(crate) fn operation(term: &Term) -> Option<(&'static str, Vec<&Term>)> {
    match &term.kind {
        TermKind::Binary(sign, left, right) => Some((sign, vec![&**left, &**right])),
        TermKind::Unary("-", inner) => Some(("negative", vec![&**inner])),
        TermKind::Call(call) => {
            let last = call.last()?;
            let name = match last {
                "add" => "+",
                "subtract" => "-",
                "multiply" => "*",
                "divide" | "truediv" | "div" | "divide_no_nan" => "/",
                "negative" => "negative",
                "reduce_mean" | "reduce_sum" | "mean" | "sum" | "squeeze" | "cast" | "identity" | "sqrt"
                | "log" | "exp" | "expand_dims" | "maximum" | "clip" | "clip_by_value" => "of",
                "square" => "square",
                "abs" | "absolute" => "abs",
                _ => return None,
            };
            let positional = call.arguments.iter().filter(|(keyword, _)| {
                !matches!(
                    keyword.as_deref(),
                    Some("axis" | "keepdims" | "dtype" | "name" | "keep_dims")
                )
            });
            let mut terms: Vec<&Term> = positional.map(|(_, value)| value).collect();
            if call.path.is_none() {
                terms.insert(0, call.receiver()?);
            }
            if matches!(name, "of" | "negative" | "square" | "abs") {
                let first = terms.iter().position(|term| term.number().is_none())?;
                terms = vec![terms.swap_remove(first)];
            }
            (terms.len() == 2 || matches!(name, "of" | "negative" | "square" | "abs"))
                .then_some((name, terms))
        }
        _ => None,
    }
}
