//! The functions and classes of a file, as far as values are followed through them: what a call returns, what a parameter is
//! given, what an attribute is set to.

use tree_sitter::Node;

use crate::field;
use crate::provenance::{Part, Way};
use crate::scope::{ScopeId, ScopeKind, base_name};
use crate::syntax::KindName;
use crate::syntax::{children, slice, unparenthesised};

/// A function of the file that a call calls.
#[derive(Clone, Copy)]
pub(crate) struct Callee<'t> {
    pub function: Node<'t>,
    /// Whether its first parameter is the object that it is called on.
    pub method: bool,
}

impl<'t> Way<'_, '_, 't> {
    /// The function of the file that a call calls, where there is just one that it can be.
    pub(crate) fn callee(&self, call: Node<'t>) -> Option<Callee<'t>> {
        let function = call.child_by_field_id(field::FUNCTION)?;
        let here = self.scopes.scope_at(call.start_byte());
        match function.kind_name() {
            "identifier" => Some(Callee {
                function: self.body(function, here, "function_definition")?,
                method: false,
            }),
            "attribute" => {
                let object = function.child_by_field_id(field::OBJECT)?;
                let method = function.child_by_field_id(field::ATTRIBUTE)?;
                if slice(object, self.text) != "self" {
                    return None;
                }
                let mut scope = Some(here);
                while let Some(id) = scope {
                    let known = self.scopes.scopes.get(id)?;
                    if known.kind == ScopeKind::Class {
                        return Some(Callee {
                            function: self.body(method, id, "function_definition")?,
                            method: true,
                        });
                    }
                    scope = known.parent;
                }
                None
            }
            _ => None,
        }
    }

    /// The definition that a name stands for in a scope, where it is the only one and nothing is wrapped around it.
    fn body(&self, name: Node<'t>, scope: ScopeId, kind: &str) -> Option<Node<'t>> {
        let (_, bindings) = self.scopes.lookup(slice(name, self.text), scope)?;
        let [binding] = bindings else { return None };
        let body = self.bodies.get(&binding.at)?;
        let decorated = body
            .parent()
            .is_some_and(|parent| parent.kind_name() == "decorated_definition");
        let plain = !decorated || kind == "class_definition";
        (body.kind_name() == kind && plain).then_some(*body)
    }

    /// The statement that returns what a function gives: its only one with a value, or the last of several that return the
    /// same variables.
    pub(crate) fn returned(&self, function: Node<'t>) -> Option<Node<'t>> {
        let mut statements: Vec<Node<'t>> = Vec::new();
        let mut todo = vec![function.child_by_field_id(field::BODY)?];
        while let Some(node) = todo.pop() {
            match node.kind_name() {
                "function_definition" | "class_definition" | "lambda" => {}
                "yield" => return None,
                "return_statement" => {
                    let value = children(node).first().copied();
                    if value.is_some_and(|value| value.kind_name() != "none") {
                        statements.push(node);
                    }
                }
                _ => todo.extend(children(node).into_iter().rev()),
            }
        }
        let last = *statements.last()?;
        let names = |statement: Node<'t>| -> Vec<&str> {
            let value = children(statement).into_iter().next();
            let elements = value.map_or_else(Vec::new, |value| elements(value).unwrap_or(vec![value]));
            elements
                .iter()
                .map(|element| slice(base_name(*element).unwrap_or(*element), self.text))
                .collect()
        };
        statements
            .iter()
            .all(|statement| *statement == last || names(*statement) == names(last))
            .then_some(last)
    }

    /// The argument of a call that a parameter is given, or its default.
    pub(crate) fn passed(
        &self,
        callee: Callee<'t>,
        call: Node<'t>,
        parameter: Node<'t>,
    ) -> Option<(Node<'t>, Part)> {
        let name = slice(parameter, self.text);
        let (mut position, mut default) = (None, None);
        let mut number: usize = 0;
        let mut positional = true;
        for child in children(callee.function.child_by_field_id(field::PARAMETERS)?) {
            let (own, value) = match child.kind_name() {
                "identifier" => (Some(child), None),
                "typed_parameter" => (
                    children(child)
                        .first()
                        .copied()
                        .filter(|inner| inner.kind_name() == "identifier"),
                    None,
                ),
                "default_parameter" | "typed_default_parameter" => (
                    child.child_by_field_id(field::NAME),
                    child.child_by_field_id(field::VALUE),
                ),
                _ => (None, None),
            };
            let Some(own) = own else {
                positional &= child.kind_name() == "positional_separator";
                continue;
            };
            if slice(own, self.text) == name {
                position = positional.then_some(number);
                default = Some(value);
                break;
            }
            number += 1;
        }
        let default = default?;
        let position = match position {
            Some(position) if callee.method => Some(position.checked_sub(1)?),
            position => position,
        };
        self.argument(call, name, position)
            .unwrap_or_else(|unknown| default.filter(|_| !unknown).map(|value| (value, Part::WHOLE)))
    }

    /// The argument of that name or at that position; `Err` when there is none, with whether there may be one all the same.
    pub(crate) fn argument(
        &self,
        call: Node<'t>,
        name: &str,
        position: Option<usize>,
    ) -> Result<Option<(Node<'t>, Part)>, bool> {
        let list = call
            .child_by_field_id(field::ARGUMENTS)
            .filter(|list| list.kind_name() == "argument_list")
            .ok_or(true)?;
        let mut number = 0;
        let mut open = false;
        for argument in children(list) {
            match argument.kind_name() {
                "keyword_argument" => {
                    let own = argument.child_by_field_id(field::NAME);
                    if own.is_some_and(|own| slice(own, self.text) == name) {
                        let value = argument.child_by_field_id(field::VALUE);
                        return Ok(value.map(|value| (value, Part::WHOLE)));
                    }
                }
                "dictionary_splat" => open = true,
                "list_splat" => {
                    let inner = children(argument).into_iter().next().ok_or(true)?;
                    let count = self.count(inner);
                    if let Some(wanted) = position
                        && wanted >= number
                        && count.is_none_or(|count| wanted < number + count)
                    {
                        let index = wanted - number;
                        return Ok(Some((
                            inner,
                            Part {
                                index,
                                of: count.unwrap_or(0),
                            },
                        )));
                    }
                    number += count.ok_or(true)?;
                }
                _ => {
                    if position == Some(number) {
                        return Ok(Some((argument, Part::WHOLE)));
                    }
                    number += 1;
                }
            }
        }
        Err(open)
    }

    /// How many values an expression stands for, where that is written out.
    fn count(&self, node: Node<'t>) -> Option<usize> {
        let node = unparenthesised(node);
        if node.kind_name() != "call" {
            return elements(node).map(|elements| elements.len());
        }
        let returned = self.returned(self.callee(node)?.function)?;
        elements(*children(returned).first()?).map(|elements| elements.len())
    }

    /// The class of the file that an expression stands for or makes an object of.
    pub(crate) fn class(&self, node: Node<'t>) -> Option<Node<'t>> {
        let name = match node.kind_name() {
            "identifier" => node,
            "call" => node
                .child_by_field_id(field::FUNCTION)
                .filter(|function| function.kind_name() == "identifier")?,
            _ => return None,
        };
        self.body(name, self.scopes.scope_at(node.start_byte()), "class_definition")
    }

    /// What a class, or the call that makes an object of it, sets an attribute to.
    pub(crate) fn attribute(&self, made: Node<'t>, class: Node<'t>, name: &str) -> Option<Node<'t>> {
        if made.kind_name() == "call"
            && let Ok(Some((value, _))) = self.argument(made, name, None)
        {
            return Some(value);
        }
        children(class.child_by_field_id(field::BODY)?)
            .into_iter()
            .filter(|statement| statement.kind_name() == "expression_statement")
            .filter_map(|statement| children(statement).into_iter().next())
            .filter(|node| node.kind_name() == "assignment")
            .filter(|node| {
                node.child_by_field_id(field::LEFT)
                    .is_some_and(|left| slice(left, self.text) == name)
            })
            .filter_map(|node| node.child_by_field_id(field::RIGHT))
            .next_back()
    }
}

/// The elements of a tuple or list that is written out; `None` for anything else.
pub(crate) fn elements(node: Node<'_>) -> Option<Vec<Node<'_>>> {
    let node = unparenthesised(node);
    let list = matches!(node.kind_name(), "tuple" | "expression_list" | "list");
    let elements = list.then(|| children(node))?;
    (elements.iter().all(|element| element.kind_name() != "list_splat")).then_some(elements)
}

/// The element of a tuple or list that a part stands for. `(a, b), (c, d)` has four.
pub(crate) fn element(node: Node<'_>, part: Part) -> Option<Node<'_>> {
    let elements = elements(node)?;
    if part.of == 0 || part.of == elements.len() && part.of > 1 {
        return elements.get(part.index).copied();
    }
    let inner: Vec<Node<'_>> = elements
        .into_iter()
        .flat_map(|element| self::elements(element).unwrap_or(vec![element]))
        .collect();
    (part.of > 1 && part.of == inner.len())
        .then(|| inner.get(part.index).copied())
        .flatten()
}
