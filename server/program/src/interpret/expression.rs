//! Expressions.

use std::rc::Rc;

use tree_sitter::Node;

use super::object::{Item, Op, Val};
use super::{Interpreter, builtin, fold};
use crate::field;
use crate::names;
use crate::syntax::KindName;
use crate::syntax::{children, range, unparenthesised};

impl<'a, 't> Interpreter<'a, 't> {
    /// The value of an expression.
    pub(super) fn eval(&mut self, node: Node<'t>) -> Item {
        let whole = range(node);
        let node = unparenthesised(node);
        if !self.enter() {
            return Item::unknown(whole);
        }
        let item = self.eval_inside(node);
        self.leave();
        Item { range: whole, ..item }
    }

    /// The value of an expression that may be absent.
    pub(super) fn eval_or_unknown(&mut self, node: Option<Node<'t>>, around: Node<'t>) -> Item {
        match node {
            Some(node) => self.eval(node),
            None => self.unknown(around),
        }
    }

    fn eval_inside(&mut self, node: Node<'t>) -> Item {
        let here = range(node);
        let val = match node.kind_name() {
            "identifier" => return self.identifier(node),
            "attribute" => return self.attribute(node),
            "subscript" => return self.subscript(node),
            "call" => return self.call(node),
            "conditional_expression" => return self.conditional(node),
            "named_expression" => return self.named_expression(node),
            "integer" => fold::integer(self.slice(node)),
            "float" => fold::float(self.slice(node)),
            "string" => self.string(node),
            "concatenated_string" => self.concatenated(node),
            "true" => Val::Bool(true),
            "false" => Val::Bool(false),
            "none" => Val::None,
            "list" | "tuple" | "expression_list" | "pattern_list" => self.sequence(node),
            "set" => {
                self.sequence(node);
                Val::Unknown
            }
            "dictionary" => self.dictionary(node),
            "unary_operator" => {
                let operator = node
                    .child_by_field_id(field::OPERATOR)
                    .map_or("", |node| self.slice(node));
                let operand = self.field(node, field::ARGUMENT);
                match operand {
                    Val::Tensor(tensor) => self.computed(vec![tensor]),
                    operand => fold::unary(operator, &operand),
                }
            }
            "binary_operator" => {
                let operator = node
                    .child_by_field_id(field::OPERATOR)
                    .map_or("", |node| self.slice(node));
                let left = self.field(node, field::LEFT);
                let right = self.field(node, field::RIGHT);
                self.binary(&left, operator, &right)
            }
            "boolean_operator" => self.boolean(node),
            "not_operator" => match self.field(node, field::ARGUMENT) {
                Val::Unknown => Val::Unknown,
                val => fold::truth(&val).map_or(Val::Unknown, |truth| Val::Bool(!truth)),
            },
            "comparison_operator" => self.comparison(node),
            "lambda" => self.lambda(node),
            "list_comprehension"
            | "generator_expression"
            | "set_comprehension"
            | "dictionary_comprehension" => {
                return self.comprehension(node);
            }
            "await" | "type" | "as_pattern" | "format_expression" | "interpolation" => {
                return self.eval_or_unknown(children(node).first().copied(), node);
            }
            "assignment" => {
                self.assignment(node);
                Val::Unknown
            }
            _ => {
                for child in children(node) {
                    self.eval(child);
                }
                Val::Unknown
            }
        };
        Item::new(val, here)
    }

    fn field(&mut self, node: Node<'t>, field: u16) -> Val {
        node.child_by_field_id(field)
            .map_or(Val::Unknown, |node| self.eval(node).val)
    }

    fn identifier(&mut self, node: Node<'t>) -> Item {
        let name = self.slice(node);
        if let Some(item) = self.name(name, range(node)) {
            return item;
        }
        let wildcard = self
            .wildcards
            .iter()
            .rev()
            .find_map(|module| names::wildcard_member(module, name));
        let val = match wildcard {
            Some(path) => Val::Named(path.into()),
            None if builtin::is_builtin(name) => Val::Named(format!("builtins.{name}").into()),
            None => Val::Unknown,
        };
        Item::new(val, range(node))
    }

    fn named_expression(&mut self, node: Node<'t>) -> Item {
        let Some(value) = node.child_by_field_id(field::VALUE) else {
            return self.unknown(node);
        };
        let item = self.eval(value);
        if let Some(name) = node.child_by_field_id(field::NAME) {
            self.bind(self.slice(name), item.clone());
        }
        item
    }

    fn sequence(&mut self, node: Node<'t>) -> Val {
        let mut items = Some(Vec::new());
        let mut loose = false;
        for child in children(node) {
            if child.kind_name() == "list_splat" {
                let inner = children(child).first().copied();
                let inner = self.eval_or_unknown(inner, child);
                match (&mut items, self.elements(&inner)) {
                    (Some(items), Some(elements)) => items.extend(elements),
                    // Something unknown in the middle: its neighbours are still what they are.
                    (Some(items), None) => {
                        items.push(Item::new(Val::Unknown, range(child)));
                        loose = true;
                    }
                    _ => items = None,
                }
            } else {
                let item = self.eval(child);
                if let Some(items) = &mut items {
                    items.push(item);
                }
            }
        }
        let val = self.new_list(items);
        if let Some(list) = self.lists.last_mut() {
            list.loose = loose;
        }
        val
    }

    fn dictionary(&mut self, node: Node<'t>) -> Val {
        let mut pairs = Some(Vec::new());
        for child in children(node) {
            if let (Some(key), Some(value)) = (
                child.child_by_field_id(field::KEY),
                child.child_by_field_id(field::VALUE),
            ) {
                let key = self.eval(key);
                let value = self.eval(value);
                if key.val == Val::Unknown {
                    pairs = None;
                } else if let Some(pairs) = &mut pairs {
                    pairs.retain(|(known, _): &(Item, Item)| known.val != key.val);
                    pairs.push((key, value));
                }
                continue;
            }
            let inner = children(child).first().copied();
            let inner = inner.map_or(Val::Unknown, |inner| self.eval(inner).val);
            let known = self.pairs(&inner).map(<[(Item, Item)]>::to_vec);
            match (&mut pairs, known) {
                (Some(pairs), Some(known)) if child.kind_name() == "dictionary_splat" => {
                    for (key, value) in known {
                        pairs.retain(|(other, _)| other.val != key.val);
                        pairs.push((key, value));
                    }
                }
                _ => pairs = None,
            }
        }
        self.new_dict(pairs)
    }

    /// The entries of a dict that is known.
    pub(super) fn pairs(&self, val: &Val) -> Option<&[(Item, Item)]> {
        match val {
            Val::Dict(dict) => self.dicts.get(*dict)?.pairs.as_deref(),
            _ => None,
        }
    }

    fn string(&mut self, node: Node<'t>) -> Val {
        let parts = children(node);
        let prefix = parts
            .first()
            .filter(|part| part.kind_name() == "string_start")
            .map_or("", |start| self.slice(*start))
            .trim_end_matches(['"', '\''])
            .to_ascii_lowercase();
        let mut content = Some(String::new());
        if prefix.contains(['b', 't']) {
            content = None;
        }
        for part in parts {
            let piece = match part.kind_name() {
                "string_content" => {
                    let piece = self.slice(part);
                    let plain = prefix.contains('r') || !piece.contains('\\');
                    let braces = prefix.contains('f') && piece.contains(['{', '}']);
                    (plain && !braces).then(|| piece.to_owned())
                }
                "interpolation" => {
                    let inner = children(part);
                    let vals: Vec<Val> = inner.iter().map(|inner| self.eval(*inner).val).collect();
                    match vals.as_slice() {
                        [only] => fold::display(only),
                        _ => None,
                    }
                }
                _ => continue,
            };
            content = content.zip(piece).map(|(content, piece)| content + &piece);
        }
        content.map_or(Val::Unknown, |content| Val::Str(content.into()))
    }

    fn concatenated(&mut self, node: Node<'t>) -> Val {
        let mut content = Some(String::new());
        for part in children(node) {
            let part = self.eval(part);
            content = match (content, &part.val) {
                (Some(content), Val::Str(part)) => Some(content + part),
                _ => None,
            };
        }
        content.map_or(Val::Unknown, |content| Val::Str(content.into()))
    }

    /// A computation on tensors that is not a layer.
    pub(super) fn computed(&mut self, inputs: Vec<usize>) -> Val {
        Val::Tensor(self.new_tensor(Op::Other, inputs))
    }

    pub(super) fn binary(&mut self, left: &Val, operator: &str, right: &Val) -> Val {
        let tensors: Vec<usize> = [left, right]
            .into_iter()
            .filter_map(|val| match val {
                Val::Tensor(tensor) => Some(*tensor),
                _ => None,
            })
            .collect();
        if !tensors.is_empty() {
            return self.computed(tensors);
        }
        let joined = match (operator, self.items(left), self.items(right)) {
            ("+", Some(left), Some(right)) => Some([left, right].concat()),
            ("*", Some(items), None) => fold::repeated(items, right),
            ("*", None, Some(items)) => fold::repeated(items, left),
            _ => None,
        };
        match joined {
            Some(items) => self.new_list(Some(items)),
            None => fold::arithmetic(left, operator, right),
        }
    }

    fn boolean(&mut self, node: Node<'t>) -> Val {
        let left = self.field(node, field::LEFT);
        // The right side may not run.
        let right = self.in_block(|this| this.field(node, field::RIGHT));
        let or = node
            .child_by_field_id(field::OPERATOR)
            .is_some_and(|operator| self.slice(operator) == "or");
        match fold::truth(&left) {
            Some(truth) if truth == or => left,
            Some(_) => right,
            None if !or && fold::truth(&right) == Some(false) => Val::Unknown,
            None => Val::Unknown,
        }
    }

    fn comparison(&mut self, node: Node<'t>) -> Val {
        let operands: Vec<Val> = children(node)
            .into_iter()
            .map(|child| self.eval(child).val)
            .collect();
        let mut cursor = node.walk();
        let operators: Vec<&str> = node
            .children_by_field_name("operators", &mut cursor)
            .map(|operator| self.slice(operator))
            .collect();
        match (operands.as_slice(), operators.as_slice()) {
            ([left, right], ["in" | "not in"]) => {
                let found = self.items(right).and_then(|items| {
                    let known = items.iter().all(|item| fold::is_plain(&item.val)) && fold::is_plain(left);
                    known.then(|| {
                        items
                            .iter()
                            .any(|item| fold::equal(&item.val, left) == Some(true))
                    })
                });
                found.map_or(Val::Unknown, |found| Val::Bool(found == (operators == ["in"])))
            }
            ([left, right], [operator]) => {
                fold::compare(left, operator, right).map_or(Val::Unknown, Val::Bool)
            }
            _ => Val::Unknown,
        }
    }

    fn conditional(&mut self, node: Node<'t>) -> Item {
        let parts = children(node);
        let [yes, condition, no] = parts.as_slice() else {
            return self.unknown(node);
        };
        match self.condition(*condition) {
            Some(truth) => {
                let (taken, other) = if truth { (*yes, *no) } else { (*no, *yes) };
                self.dead += 1;
                self.eval(other);
                self.dead -= 1;
                self.eval(taken)
            }
            None => {
                let yes = self.in_block(|this| this.eval(*yes));
                let no = self.in_block(|this| this.eval(*no));
                if yes.val == no.val && fold::is_plain(&yes.val) {
                    yes
                } else {
                    self.unknown(node)
                }
            }
        }
    }

    pub(super) fn text_value(text: &str) -> Val {
        Val::Str(Rc::from(text))
    }

    fn subscript(&mut self, node: Node<'t>) -> Item {
        let here = range(node);
        let Some(value) = node.child_by_field_id(field::VALUE) else {
            return self.unknown(node);
        };
        let object = self.eval(value);
        let mut cursor = node.walk();
        let keys: Vec<Node<'t>> = node.children_by_field_name("subscript", &mut cursor).collect();
        let first = keys.first().map(|key| (*key, self.eval(*key)));
        for key in keys.iter().skip(1) {
            self.eval(*key);
        }
        let Some((key_node, key)) = first.filter(|_| keys.len() == 1) else {
            return match object.val {
                Val::Tensor(tensor) => Item::new(self.computed(vec![tensor]), here),
                _ => self.unknown(node),
            };
        };
        match &object.val {
            Val::List(_) => {
                let items = self.items(&object.val).unwrap_or_default();
                if key_node.kind_name() == "slice" {
                    let part = self.slice_bounds(key_node, items.len());
                    let items = self.items(&object.val).unwrap_or_default();
                    let part = part
                        .and_then(|(from, to)| items.get(from..to))
                        .map(<[Item]>::to_vec);
                    let known = self.items(&object.val).is_some();
                    return Item::new(self.new_list(part.filter(|_| known)), here);
                }
                fold::index(&key.val, items.len())
                    .and_then(|index| items.get(index))
                    .cloned()
                    .map_or_else(|| self.unknown(node), |item| item.used_at(here))
            }
            Val::Dict(_) => self
                .pairs(&object.val)
                .and_then(|pairs| pairs.iter().find(|(known, _)| known.val == key.val))
                .map(|(_, item)| item.clone().used_at(here))
                .filter(|_| key.val != Val::Unknown)
                .unwrap_or_else(|| self.unknown(node)),
            Val::Tensor(tensor) => {
                let computed = self.computed(vec![*tensor]);
                Item::new(computed, here)
            }
            Val::LayersOf(model) if key_node.kind_name() == "slice" => Item::new(Val::LayersOf(*model), here),
            Val::LayersOf(model) => Item::new(Val::LayerOf(*model), here),
            _ => self.unknown(node),
        }
    }

    /// The bounds of a slice with known ends and no step.
    fn slice_bounds(&mut self, node: Node<'t>, length: usize) -> Option<(usize, usize)> {
        let text = self.slice(node);
        let colon = node.start_byte() + text.find(':')?;
        if text.matches(':').count() != 1 {
            return None;
        }
        let (mut from, mut to) = (0, length);
        for bound in children(node) {
            let Val::Int(value) = self.eval(bound).val else {
                return None;
            };
            let length = i64::try_from(length).ok()?;
            let value = if value < 0 { value + length } else { value }.clamp(0, length);
            let value = usize::try_from(value).ok()?;
            if bound.start_byte() < colon {
                from = value;
            } else {
                to = value;
            }
        }
        (from <= to).then_some((from, to))
    }
}
