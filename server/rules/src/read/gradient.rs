//! Whether the value of a computation has a gradient with respect to the predictions that go into it.

use std::collections::HashMap;

use finding::Range;
use program::{Applied, Function, Statement, StatementKind, Term, TermKind};

use super::definitions::{Defined, Definitions};

/// How a value depends on the predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Not at all.
    Independent,
    /// Only through an operation without a gradient, which stands here.
    Cut(Range),
    /// With a gradient, or perhaps with one.
    Open,
}

impl Flow {
    fn and(self, other: Flow) -> Flow {
        match (self, other) {
            (Flow::Open, _) | (_, Flow::Open) => Flow::Open,
            (Flow::Cut(range), _) | (_, Flow::Cut(range)) => Flow::Cut(range),
            _ => Flow::Independent,
        }
    }

    fn cut(self, range: Range) -> Flow {
        match self {
            Flow::Open => Flow::Cut(range),
            other => other,
        }
    }
}

/// Operations of TensorFlow, Keras and JAX that have no gradient, or one of zero everywhere.
const CUTTING: [&str; 31] = [
    "round",
    "rint",
    "sign",
    "floor",
    "ceil",
    "trunc",
    "argmax",
    "argmin",
    "arg_max",
    "arg_min",
    "argsort",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "equal",
    "not_equal",
    "logical_and",
    "logical_or",
    "logical_not",
    "isclose",
    "stop_gradient",
    "one_hot",
    "in_top_k",
    "numpy_function",
    "confusion_matrix",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "top_k_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
];

/// Metrics of Keras that count.
const COUNTING: [&str; 9] = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "Precision",
    "Recall",
    "AUC",
    "F1Score",
    "MeanIoU",
];

/// What is asked of a tensor without its values.
const SHAPES: [&str; 11] = [
    "shape",
    "int_shape",
    "ndim",
    "rank",
    "size",
    "dtype",
    "zeros_like",
    "ones_like",
    "get_shape",
    "count_params",
    "print",
];

/// Functions that call one another more deeply are not followed.
const DEEPEST: usize = 6;

type Names<'a> = HashMap<&'a str, Flow>;

/// Follows predictions through the functions of a script.
pub(crate) struct Follow<'d, 'a> {
    pub definitions: &'d Definitions<'a>,
    /// What a name has that is given no value on the way.
    pub free: &'d dyn Fn(&str) -> Flow,
    /// In a block under a tape: the model that is differentiated, as written. Whatever is called there and is not known
    /// may give its predictions.
    pub model: Option<(&'d str, &'d str)>,
}

impl<'a> Follow<'_, 'a> {
    /// What a function returns when its parameters have these values.
    pub(crate) fn function(&self, function: &'a Function, mut names: Names<'a>, depth: usize) -> Flow {
        let own = |decorator: &Term| {
            match decorator.call() {
            Some(call) => call.last() == Some("custom_gradient"),
            None => decorator
                .all()
                .iter()
                .any(|term| matches!(&term.kind, TermKind::Name(name) | TermKind::Attribute(_, name) if name == "custom_gradient")),
        }
        };
        if depth > DEEPEST || function.decorators.iter().any(own) {
            return Flow::Open;
        }
        let mut result = Flow::Independent;
        self.block(&function.body, &mut names, &mut result, depth);
        result
    }

    /// Goes through statements; what they return is added to `result`.
    pub(crate) fn block(
        &self,
        block: &'a [Statement],
        names: &mut Names<'a>,
        result: &mut Flow,
        depth: usize,
    ) {
        for statement in block {
            match &statement.kind {
                StatementKind::Assign {
                    target,
                    value,
                    operator,
                } => self.assign(target, value, operator.is_some(), names, depth),
                StatementKind::Return(Some(value)) => *result = result.and(self.term(value, names, depth)),
                StatementKind::Expression(term) => {
                    // What a method puts into an object: `terms.append(x)`.
                    if let Some((call, name)) = term
                        .call()
                        .and_then(|call| Some((call, call.receiver()?.name()?)))
                        && names.contains_key(name)
                    {
                        let flow = self.arguments(call, names, depth);
                        let before = self.name(name, names);
                        names.insert(name, before.and(flow));
                    }
                }
                StatementKind::For(target, items, body) => {
                    let flow = self.term(items, names, depth);
                    self.set(target, flow, false, names);
                    self.branches(&[body, body], names, result, depth);
                }
                StatementKind::While(_, body) => self.branches(&[body, body], names, result, depth),
                StatementKind::If(_, body, other) => {
                    let before = names.clone();
                    self.block(body, names, result, depth);
                    let mut otherwise = before;
                    self.block(other, &mut otherwise, result, depth);
                    merge(names, otherwise);
                }
                StatementKind::With(_, body) => self.block(body, names, result, depth),
                StatementKind::Other(body) => self.branches(&[body], names, result, depth),
                _ => {}
            }
        }
    }

    /// Blocks that may run or not.
    fn branches(
        &self,
        blocks: &[&'a Vec<Statement>],
        names: &mut Names<'a>,
        result: &mut Flow,
        depth: usize,
    ) {
        for block in blocks {
            let before = names.clone();
            self.block(block, names, result, depth);
            merge(names, before);
        }
    }

    fn assign(&self, target: &'a Term, value: &'a Term, adds: bool, names: &mut Names<'a>, depth: usize) {
        match (&target.kind, &value.kind) {
            (TermKind::List(targets), TermKind::List(values)) if targets.len() == values.len() => {
                let flows: Vec<_> = values
                    .iter()
                    .map(|value| self.term(value, names, depth))
                    .collect();
                for (target, flow) in targets.iter().zip(flows) {
                    self.set(target, flow, false, names);
                }
            }
            _ => {
                let flow = self.term(value, names, depth);
                self.set(target, flow, adds, names);
            }
        }
    }

    fn set(&self, target: &'a Term, flow: Flow, adds: bool, names: &mut Names<'a>) {
        match &target.kind {
            TermKind::Name(name) => {
                let flow = if adds {
                    self.name(name, names).and(flow)
                } else {
                    flow
                };
                names.insert(name, flow);
            }
            TermKind::List(targets) => {
                for target in targets {
                    self.set(target, flow, adds, names);
                }
            }
            // Part of an object.
            TermKind::Subscript(object, _) | TermKind::Attribute(object, _) => {
                self.set(object, flow, true, names);
            }
            _ => {}
        }
    }

    fn name(&self, name: &str, names: &Names<'a>) -> Flow {
        names.get(name).copied().unwrap_or_else(|| (self.free)(name))
    }

    pub(crate) fn term(&self, term: &'a Term, names: &Names<'a>, depth: usize) -> Flow {
        let all = |terms: &mut dyn Iterator<Item = &'a Term>| {
            terms.fold(Flow::Independent, |flow, term| {
                flow.and(self.term(term, names, depth))
            })
        };
        match &term.kind {
            TermKind::Name(name) => self.name(name, names),
            TermKind::Number(_) | TermKind::Text(_) | TermKind::Bool(_) | TermKind::Dict(_) => {
                Flow::Independent
            }
            TermKind::Attribute(_, name) if SHAPES.contains(&name.as_str()) => Flow::Independent,
            TermKind::Attribute(_, name) if self.model.is_some() && name == "losses" => Flow::Open,
            TermKind::Attribute(object, _) if object.name() == Some("self") => Flow::Independent,
            TermKind::Binary("//", left, right) => all(&mut [&**left, &**right].into_iter()).cut(term.range),
            TermKind::Compare(_, terms) => all(&mut terms.iter()).cut(term.range),
            TermKind::Choice(parts) => self
                .term(&parts[0], names, depth)
                .and(self.term(&parts[2], names, depth)),
            TermKind::Call(call) => self.call(term, call, names, depth),
            _ => all(&mut term.parts().into_iter()),
        }
    }

    fn arguments(&self, call: &'a Applied, names: &Names<'a>, depth: usize) -> Flow {
        let flows = call
            .arguments
            .iter()
            .map(|(_, value)| self.term(value, names, depth));
        flows.fold(Flow::Independent, Flow::and)
    }

    fn call(&self, term: &'a Term, call: &'a Applied, names: &Names<'a>, depth: usize) -> Flow {
        let last = call.last().unwrap_or_default();
        let given = self.arguments(call, names, depth);
        if SHAPES.contains(&last) {
            return Flow::Independent;
        }
        if let Some(path) = &call.path {
            return match (last, path.split('.').next()) {
                ("where" | "switch", Some("tensorflow" | "keras" | "jax")) => {
                    self.choice(term, call, names, depth)
                }
                (_, Some("numpy" | "sklearn" | "scipy")) => given.cut(term.range),
                ("cast" | "saturate_cast", _) if call.argument(1, "dtype").is_some_and(is_whole) => {
                    given.cut(term.range)
                }
                (name, Some("tensorflow" | "keras" | "jax")) if CUTTING.contains(&name) => {
                    given.cut(term.range)
                }
                _ => given,
            };
        }
        // `keras.metrics.Precision()(y_true, y_pred)`
        if let Some(path) = call.function.call().and_then(|made| made.path.as_deref()) {
            let counts = path
                .strip_prefix("keras.metrics.")
                .is_some_and(|class| COUNTING.contains(&class));
            return if counts { given.cut(term.range) } else { given };
        }
        if let Some((model, text)) = self.model
            && self.definitions.called(call).is_none()
        {
            return self.in_tape(term, call, (model, text), names, given);
        }
        if let Some(receiver) = call.receiver().filter(|object| object.name() != Some("self")) {
            let flow = self.term(receiver, names, depth);
            return match last {
                "numpy" => flow.cut(term.range),
                _ => flow.and(given),
            };
        }
        match self.definitions.called(call) {
            Some(defined) => self.own(defined, call, names, depth),
            None => given,
        }
    }

    /// Something that is called under a tape and not known.
    fn in_tape(
        &self,
        term: &'a Term,
        call: &'a Applied,
        (model, text): (&str, &str),
        names: &Names<'a>,
        given: Flow,
    ) -> Flow {
        let last = call.last().unwrap_or_default();
        let is_loss = |name| {
            let value = self.definitions.assigned(name).and_then(Term::call);
            let path = value.and_then(|made| made.path.as_deref());
            path.is_some_and(|path| path.starts_with("keras.losses."))
        };
        if call.function.name().is_some_and(is_loss) {
            return given;
        }
        match call.receiver() {
            Some(receiver) if last.starts_with("predict") && receiver.range.slice(text) == model => {
                Flow::Cut(term.range)
            }
            Some(receiver) if last == "numpy" => self.term(receiver, names, 0).cut(term.range),
            _ => Flow::Open,
        }
    }

    /// `where(condition, a, b)`: the condition has no gradient.
    fn choice(&self, term: &'a Term, call: &'a Applied, names: &Names<'a>, depth: usize) -> Flow {
        let part = |position, keyword| {
            call.argument(position, keyword)
                .map_or(Flow::Independent, |part| self.term(part, names, depth))
        };
        let condition = part(0, "condition").cut(term.range);
        part(1, "x").and(part(2, "y")).and(condition)
    }

    /// A function of the script's own.
    fn own(&self, defined: &Defined<'a>, call: &'a Applied, names: &Names<'a>, depth: usize) -> Flow {
        let mut given: Names<'a> = HashMap::new();
        for (position, parameter) in defined.parameters().into_iter().enumerate() {
            let flow = call
                .argument(position, parameter)
                .map_or(Flow::Independent, |value| self.term(value, names, depth));
            given.insert(parameter, flow);
        }
        self.function(defined.function, given, depth + 1)
    }
}

/// Values that a name has in one of two branches.
fn merge<'a>(names: &mut Names<'a>, other: Names<'a>) {
    for (name, flow) in other {
        let known = names.entry(name).or_insert(flow);
        *known = known.and(flow);
    }
}

/// Whether a type is one of whole numbers: `tf.int32`, `"int64"`, `bool`.
fn is_whole(dtype: &Term) -> bool {
    let name = match &dtype.kind {
        TermKind::Name(name) | TermKind::Attribute(_, name) | TermKind::Text(name) => name,
        _ => return false,
    };
    name.starts_with("int") || name.starts_with("uint") || name.starts_with("bool")
}
