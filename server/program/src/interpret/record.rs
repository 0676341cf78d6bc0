//! Calls as they were met, with what their arguments were.

use tree_sitter::Node;

use super::Interpreter;
use super::object::{Arguments, Item, Val};
use crate::field;
use crate::names::canonical;
use crate::signature;
use crate::syntax::range;
use crate::{Argument, Call, CallId, Expr, Value};

/// Values written into records per text: names that stand for lists of names could otherwise unfold without end.
pub(super) const MOST_VALUES: usize = 100_000;

/// The same for one argument.
const MOST_VALUES_OF_ONE: usize = 5_000;

/// Deepest nesting of lists that is written into a record.
const DEEPEST: usize = 16;

/// A call at one of the times it was met. [`CallId`]s in its values are numbers of records.
#[derive(Debug)]
pub(crate) struct Record<'t> {
    pub node: Node<'t>,
    pub call: Call,
}

impl<'a, 't> Interpreter<'a, 't> {
    /// Notes a call.
    pub(super) fn record(&mut self, node: Node<'t>, callee: String, arguments: &Arguments) -> usize {
        let parameters = signature::parameters(&callee).unwrap_or_default();
        let mut positional = parameters.iter();
        let mut list = Vec::with_capacity(arguments.list.len());
        for given in &arguments.list {
            let name = match &given.keyword {
                Some(keyword) => Some(keyword.to_string()),
                None => positional.next().cloned(),
            };
            list.push(Argument {
                name,
                name_range: given.keyword_range,
                range: given.range,
                value: self.expr(&given.item),
            });
        }
        let call = Call {
            callee,
            callee_range: node
                .child_by_field_id(field::FUNCTION)
                .map_or_else(|| range(node), range),
            range: range(node),
            arguments: list,
            open_ended: arguments.open,
        };
        self.records.push(Record { node, call });
        self.records.len() - 1
    }

    /// A value as the program shows it.
    fn expr(&mut self, item: &Item) -> Expr {
        let mut left = MOST_VALUES_OF_ONE.min(self.values_left);
        let before = left;
        let expr = self.expr_within(item, DEEPEST, &mut left);
        self.values_left -= before - left;
        expr
    }

    fn expr_within(&self, item: &Item, depth: usize, left: &mut usize) -> Expr {
        let origin = if item.origin.is_empty() {
            item.range
        } else {
            item.origin
        };
        let expr = |value| Expr {
            value,
            range: item.range,
            origin,
        };
        if depth == 0 || *left == 0 {
            return expr(Value::Unknown);
        }
        *left -= 1;
        let value = match &item.val {
            Val::None => Value::None,
            Val::Bool(truth) => Value::Bool(*truth),
            Val::Int(number) => Value::Int(*number),
            Val::Float(number) => Value::Float(*number),
            Val::Str(text) => Value::Str(text.to_string()),
            Val::Named(path) => canonical(path).map_or(Value::Unknown, Value::Reference),
            Val::List(_) => self.list_value(&item.val, depth, left),
            Val::Dict(_) => self.dict_value(&item.val, depth, left),
            Val::Object(record) => Value::Call(CallId(*record)),
            Val::Layer(layer) => self
                .layer_record(*layer)
                .map_or(Value::Unknown, |record| Value::Call(CallId(record))),
            Val::Model(model) => self
                .models
                .get(*model)
                .map_or(Value::Unknown, |draft| Value::Call(CallId(draft.record))),
            Val::Tensor(tensor) => self
                .input_record(*tensor)
                .map_or(Value::Unknown, |record| Value::Call(CallId(record))),
            _ => Value::Unknown,
        };
        expr(value)
    }

    fn list_value(&self, val: &Val, depth: usize, left: &mut usize) -> Value {
        let Some(items) = self.items(val) else {
            return Value::Unknown;
        };
        let mut elements = Vec::with_capacity(items.len());
        for item in items {
            if *left == 0 {
                return Value::Unknown;
            }
            elements.push(self.expr_within(item, depth - 1, left));
        }
        Value::List(elements)
    }

    fn dict_value(&self, val: &Val, depth: usize, left: &mut usize) -> Value {
        let Some(known) = self.pairs(val) else {
            return Value::Unknown;
        };
        let mut pairs = Vec::with_capacity(known.len());
        for (key, value) in known {
            if *left == 0 {
                return Value::Unknown;
            }
            let key = self.expr_within(key, depth - 1, left);
            if key.value == Value::Unknown {
                return Value::Unknown;
            }
            pairs.push((key, self.expr_within(value, depth - 1, left)));
        }
        Value::Dict(pairs)
    }
}
