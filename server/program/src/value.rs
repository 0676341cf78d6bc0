//! Expressions → values, as far as they can be read without running anything.

use std::cell::Cell;
use std::collections::HashMap;

use finding::Range;
use tree_sitter::Node;

use crate::names::{canonical, path};
use crate::scope::{Place, Scopes};
use crate::syntax::{children, range, slice, unparenthesised};
use crate::{CallId, Expr, Value};

/// Deepest nesting of an expression that is read.
const DEEPEST: usize = 32;

/// Values read per text: names that stand for lists of names could otherwise unfold without end.
const MOST_VALUES: usize = 100_000;

/// Reads values. Calls are known by the id of their node.
pub(crate) struct Reader<'s, 'a, 't> {
    pub scopes: &'s Scopes<'a, 't>,
    pub text: &'a str,
    /// Node of a recorded call → its place in [`crate::Program::calls`].
    pub calls: &'s HashMap<usize, CallId>,
    left: Cell<usize>,
}

impl<'s, 'a, 't> Reader<'s, 'a, 't> {
    pub(crate) fn new(scopes: &'s Scopes<'a, 't>, text: &'a str, calls: &'s HashMap<usize, CallId>) -> Self {
        Reader {
            scopes,
            text,
            calls,
            left: Cell::new(MOST_VALUES),
        }
    }

    /// The value of an expression used at a place.
    pub(crate) fn expr(&self, node: Node<'t>, place: Place) -> Expr {
        self.expr_within(node, place, DEEPEST)
    }

    fn expr_within(&self, node: Node<'t>, place: Place, depth: usize) -> Expr {
        let used = range(node);
        let left = self.left.get();
        if depth == 0 || left == 0 {
            return Expr {
                value: Value::Unknown,
                range: used,
                origin: used,
            };
        }
        self.left.set(left - 1);
        let (defined, place) = resolve(self.scopes, self.text, node, place);
        let value = self.value(defined, place, depth - 1);
        Expr {
            value,
            range: used,
            origin: range(defined),
        }
    }

    fn value(&self, node: Node<'t>, place: Place, depth: usize) -> Value {
        match node.kind() {
            "none" => Value::None,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "integer" => integer(slice(node, self.text)),
            "float" => slice(node, self.text)
                .replace('_', "")
                .parse()
                .map_or(Value::Unknown, Value::Float),
            "string" => string(node, self.text).map_or(Value::Unknown, Value::Str),
            "list" | "tuple" => self.list(node, place, depth),
            "dictionary" => self.dict(node, place, depth),
            "unary_operator" => {
                let operator = node
                    .child_by_field_name("operator")
                    .map(|node| slice(node, self.text));
                match (operator, self.field(node, "argument", place, depth)) {
                    (Some("-"), Value::Int(number)) => {
                        number.checked_neg().map_or(Value::Unknown, Value::Int)
                    }
                    (Some("-"), Value::Float(number)) => Value::Float(-number),
                    (Some("+"), value @ (Value::Int(_) | Value::Float(_))) => value,
                    _ => Value::Unknown,
                }
            }
            "binary_operator" => {
                let operator = node
                    .child_by_field_name("operator")
                    .map_or("", |node| slice(node, self.text));
                let left = self.field(node, "left", place, depth);
                let right = self.field(node, "right", place, depth);
                arithmetic(&left, operator, &right)
            }
            "call" => self
                .calls
                .get(&node.id())
                .map_or(Value::Unknown, |call| Value::Call(*call)),
            "identifier" | "attribute" => path(self.scopes, self.text, node, place)
                .and_then(|path| canonical(&path))
                .map_or(Value::Unknown, Value::Reference),
            _ => Value::Unknown,
        }
    }

    fn field(&self, node: Node<'t>, field: &str, place: Place, depth: usize) -> Value {
        node.child_by_field_name(field)
            .map_or(Value::Unknown, |node| self.expr_within(node, place, depth).value)
    }

    fn list(&self, node: Node<'t>, place: Place, depth: usize) -> Value {
        let mut elements = Vec::new();
        for child in children(node) {
            if child.kind() == "list_splat" || self.left.get() == 0 {
                return Value::Unknown;
            }
            elements.push(self.expr_within(child, place, depth));
        }
        Value::List(elements)
    }

    fn dict(&self, node: Node<'t>, place: Place, depth: usize) -> Value {
        let mut pairs = Vec::new();
        for pair in children(node) {
            let (Some(key), Some(value)) =
                (pair.child_by_field_name("key"), pair.child_by_field_name("value"))
            else {
                return Value::Unknown;
            };
            let key = self.expr_within(key, place, depth);
            if key.value == Value::Unknown || self.left.get() == 0 {
                return Value::Unknown;
            }
            pairs.push((key, self.expr_within(value, place, depth)));
        }
        Value::Dict(pairs)
    }
}

/// The expression that defines a value: names assigned once are followed to what was assigned.
pub(crate) fn resolve<'t>(
    scopes: &Scopes<'_, 't>,
    text: &str,
    node: Node<'t>,
    place: Place,
) -> (Node<'t>, Place) {
    let (mut node, mut place) = (unparenthesised(node), place);
    for _ in 0..DEEPEST {
        if node.kind() != "identifier" {
            break;
        }
        match scopes.value(slice(node, text), place, node.start_byte()) {
            Some((value, at)) => (node, place) = (unparenthesised(value), at),
            None => break,
        }
    }
    (node, place)
}

fn integer(text: &str) -> Value {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let radix = |prefix: &str, radix: u32| {
        digits
            .strip_prefix(prefix)
            .map(|digits| i64::from_str_radix(digits, radix))
    };
    let parsed = radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2))
        .unwrap_or_else(|| digits.parse());
    parsed.map_or(Value::Unknown, Value::Int)
}

/// The text of a plain string literal; `None` for f-strings, bytes and strings with escapes.
fn string(node: Node<'_>, text: &str) -> Option<String> {
    let parts = children(node);
    let start = parts.first().filter(|part| part.kind() == "string_start")?;
    let prefix = slice(*start, text)
        .trim_end_matches(['"', '\''])
        .to_ascii_lowercase();
    if prefix.contains(['f', 'b', 't']) {
        return None;
    }
    let mut content = String::new();
    for part in parts {
        if part.kind() == "string_content" {
            if !prefix.contains('r') && slice(part, text).contains('\\') {
                return None;
            }
            content.push_str(slice(part, text));
        }
    }
    Some(content)
}

fn arithmetic(left: &Value, operator: &str, right: &Value) -> Value {
    if let (Value::Int(left), Value::Int(right)) = (left, right)
        && operator != "/"
    {
        let exact = match operator {
            "+" => left.checked_add(*right),
            "-" => left.checked_sub(*right),
            "*" => left.checked_mul(*right),
            // Python rounds down, Rust's remainder-free division towards zero.
            "//" if *left >= 0 && *right > 0 => left.checked_div(*right),
            "%" if *left >= 0 && *right > 0 => left.checked_rem(*right),
            "**" if *right >= 0 => u32::try_from(*right)
                .ok()
                .and_then(|power| left.checked_pow(power)),
            "**" => return power(*left as f64, *right as f64),
            _ => None,
        };
        return exact.map_or(Value::Unknown, Value::Int);
    }
    let (Some(left), Some(right)) = (number(left), number(right)) else {
        return Value::Unknown;
    };
    match operator {
        "+" => Value::Float(left + right),
        "-" => Value::Float(left - right),
        "*" => Value::Float(left * right),
        "/" if right != 0.0 => Value::Float(left / right),
        "**" => power(left, right),
        _ => Value::Unknown,
    }
}

fn power(base: f64, exponent: f64) -> Value {
    let power = base.powf(exponent);
    if power.is_finite() {
        Value::Float(power)
    } else {
        Value::Unknown
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// Marks a place in the text as not known.
pub(crate) fn unknown(range: Range) -> Expr {
    Expr {
        value: Value::Unknown,
        range,
        origin: range,
    }
}
