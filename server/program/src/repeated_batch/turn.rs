//! What happens in a turn of a loop, and what an expression in it depends on.

use std::collections::HashSet;

use fnv::FnvHashMap;
use tree_sitter::Node;

use crate::descend::{all, contains};
use crate::field;
use crate::scope::base_name;
use crate::syntax::{KindName, children, slice};

/// Functions of Python that give the same for the same and leave what they are given as it is.
const PURE_FUNCTIONS: &str = "abs dict enumerate float int len list max min print range round slice sorted str sum tuple zip \
    bool to_categorical";

/// Functions of TensorFlow of which the same holds.
const PURE_OF_TENSORFLOW: &str = "cast constant convert_to_tensor expand_dims one_hot reshape stack concat";

/// Methods of arrays and tables of which the same holds.
const PURE_METHODS: &str = "astype copy flatten max mean min numpy ravel repeat reshape squeeze std sum to_numpy toarray \
    todense tolist transpose";

fn has(list: &str, word: &str) -> bool {
    list.split(' ').any(|other| other == word)
}

/// How a name gets its value in a turn of the loop.
pub(super) struct Assigned<'t> {
    /// The expression, or what a loop within goes through.
    pub(super) value: Node<'t>,
    pub(super) statement: Node<'t>,
    conditional: bool,
}

/// What happens in a turn of a loop.
pub(super) struct Loop<'a, 't> {
    pub(super) text: &'a str,
    given: Node<'t>,
    pub(super) assigned: FnvHashMap<&'a str, Vec<Assigned<'t>>>,
    /// Names with values that are changed, or that are others each time.
    changed: HashSet<&'a str>,
}

impl<'a, 't> Loop<'a, 't> {
    /// A turn in which nothing has been noted; `given` is its `yield`.
    pub(super) fn new(text: &'a str, given: Node<'t>) -> Self {
        Loop {
            text,
            given,
            assigned: FnvHashMap::default(),
            changed: HashSet::new(),
        }
    }

    /// Notes what a statement does; `None` where that cannot be followed.
    pub(super) fn note(&mut self, node: Node<'t>, conditional: bool) -> Option<()> {
        match node.kind_name() {
            "function_definition"
            | "class_definition"
            | "lambda"
            | "named_expression"
            | "await"
            | "return_statement"
            | "break_statement"
            | "raise_statement"
            | "global_statement"
            | "nonlocal_statement"
            | "delete_statement"
            | "with_statement" => return None,
            "assignment" => {
                let left = node.child_by_field_id(field::LEFT)?;
                let right = node.child_by_field_id(field::RIGHT)?;
                self.assign(left, right, node, conditional);
            }
            "augmented_assignment" => {
                let base = base_name(node.child_by_field_id(field::LEFT)?)?;
                self.changed.insert(slice(base, self.text));
            }
            "for_statement" => {
                let left = node.child_by_field_id(field::LEFT)?;
                if contains(node, self.given) {
                    let names = all(left, &["identifier"]);
                    self.changed
                        .extend(names.iter().map(|name| slice(*name, self.text)));
                } else {
                    let right = node.child_by_field_id(field::RIGHT)?;
                    self.assign(left, right, node, conditional);
                }
            }
            _ => {}
        }
        let conditional = conditional
            || matches!(
                node.kind_name(),
                "if_statement" | "try_statement" | "match_statement"
            );
        for child in children(node) {
            self.note(child, conditional)?;
        }
        Some(())
    }

    fn assign(&mut self, left: Node<'t>, value: Node<'t>, statement: Node<'t>, conditional: bool) {
        match left.kind_name() {
            "identifier" => self
                .assigned
                .entry(slice(left, self.text))
                .or_default()
                .push(Assigned {
                    value,
                    statement,
                    conditional,
                }),
            "pattern_list" | "tuple_pattern" | "list_pattern" => {
                for target in children(left) {
                    self.assign(target, value, statement, conditional);
                }
            }
            _ => {
                let names = all(left, &["identifier"]);
                self.changed
                    .extend(names.iter().map(|name| slice(*name, self.text)));
            }
        }
    }

    /// The names that an expression depends on, by way of what is assigned in the loop; `None` where one of them may be
    /// another in each turn.
    pub(super) fn names(&self, value: Node<'t>) -> Option<HashSet<&'a str>> {
        let mut found = HashSet::new();
        let mut open = Vec::new();
        self.read(value, &mut open)?;
        while let Some(name) = open.pop() {
            if !found.insert(name) {
                continue;
            }
            // The state of an object may change anywhere.
            if self.changed.contains(name) || name == "self" {
                return None;
            }
            let direct = self.direct(name)?;
            if self.reaches(&direct, name)? {
                return None;
            }
            open.extend(direct);
        }
        Some(found)
    }

    /// The names that the value of a name is made of in a turn.
    pub(super) fn direct(&self, name: &str) -> Option<Vec<&'a str>> {
        let mut direct = Vec::new();
        let assigned = self.assigned.get(name).map(Vec::as_slice).unwrap_or_default();
        let block = |one: &Assigned<'t>| one.statement.parent()?.parent();
        for (number, one) in assigned.iter().enumerate() {
            let in_line = assigned
                .first()
                .is_some_and(|first| number == 0 || block(first) == block(one));
            if one.conditional || !in_line || one.statement.start_byte() > self.given.start_byte() {
                return None;
            }
            let mut read = Vec::new();
            self.read(one.value, &mut read)?;
            // `x = f(x)` behind `x = …` goes on from that, not from the turn before.
            direct.extend(read.into_iter().filter(|other| number == 0 || *other != name));
        }
        for call in self.fills(name) {
            self.read(call.child_by_field_id(field::ARGUMENTS)?, &mut direct)?;
        }
        Some(direct)
    }

    /// Whether a name is among what some names depend on: then it goes on from what it was.
    fn reaches(&self, from: &[&'a str], name: &str) -> Option<bool> {
        let mut seen = HashSet::new();
        let mut open = from.to_vec();
        while let Some(next) = open.pop() {
            if next == name {
                return Some(true);
            }
            if seen.insert(next) {
                open.extend(self.direct(next)?);
            }
        }
        Some(false)
    }

    /// The calls that put values into a list that is made in the same turn.
    pub(super) fn fills(&self, name: &str) -> Vec<Node<'t>> {
        let Some([one, ..]) = self.assigned.get(name).map(Vec::as_slice) else {
            return Vec::new();
        };
        let Some(turn) = one.statement.parent().and_then(|statement| statement.parent()) else {
            return Vec::new();
        };
        let filling = |call: &Node<'t>| {
            call.child_by_field_id(field::FUNCTION).is_some_and(|function| {
                let called = slice(function, self.text);
                called
                    .strip_prefix(name)
                    .is_some_and(|method| matches!(method, ".append" | ".extend"))
            })
        };
        let mut calls = all(turn, &["call"]);
        calls.retain(filling);
        calls
    }

    /// The names in an expression; `None` where it may be another each time.
    pub(super) fn read(&self, node: Node<'t>, names: &mut Vec<&'a str>) -> Option<()> {
        match node.kind_name() {
            "identifier" => names.push(slice(node, self.text)),
            "attribute" => self.read(node.child_by_field_id(field::OBJECT)?, names)?,
            "keyword_argument" => self.read(node.child_by_field_id(field::VALUE)?, names)?,
            "lambda" | "named_expression" | "await" | "yield" => return None,
            "call" => {
                let object = self.pure(node)?;
                if let Some(object) = object {
                    self.read(object, names)?;
                }
                self.read(node.child_by_field_id(field::ARGUMENTS)?, names)?;
            }
            _ => {
                for child in children(node) {
                    self.read(child, names)?;
                }
            }
        }
        Some(())
    }

    /// For a call that gives the same for the same: the object whose method it calls, if it is one.
    fn pure(&self, call: Node<'t>) -> Option<Option<Node<'t>>> {
        let function = call.child_by_field_id(field::FUNCTION)?;
        if function.kind_name() == "identifier" {
            return has(PURE_FUNCTIONS, slice(function, self.text)).then_some(None);
        }
        let object = function.child_by_field_id(field::OBJECT)?;
        let method = slice(function.child_by_field_id(field::ATTRIBUTE)?, self.text);
        match slice(object, self.text) {
            "np" | "numpy" => Some(None),
            "tf" | "tensorflow" if has(PURE_OF_TENSORFLOW, method) => Some(None),
            _ if method == "to_categorical" => Some(None),
            _ => has(PURE_METHODS, method).then_some(Some(object)),
        }
    }

    /// Looks for calls in the loop that may change what some names stand for.
    pub(super) fn changes_nothing(&self, turn: Node<'t>, names: &HashSet<&'a str>) -> Option<()> {
        let fills: Vec<Node<'t>> = names.iter().flat_map(|name| self.fills(name)).collect();
        let changes = |call: &Node<'t>| {
            let given = |name: &Node<'t>| names.contains(slice(*name, self.text));
            self.pure(*call).is_none()
                && !fills.contains(call)
                && all(*call, &["identifier"]).iter().any(given)
        };
        (!all(turn, &["call"]).iter().any(changes)).then_some(())
    }
}
