//! What gives a variable its array: changes of some of its values leave the shape as it is.

use tree_sitter::Node;

use super::Arrays;
use crate::descend::contains;
use crate::field;
use crate::provenance::{Part, flatten};
use crate::roles::Role;
use crate::scope::ScopeKind;
use crate::syntax::{KindName, children, unparenthesised};

/// What a name stands for.
pub(super) enum Binding<'t> {
    Value {
        value: Node<'t>,
        part: Part,
        /// The byte the target begins at: another one for every definition.
        id: usize,
    },
    Parameter(Node<'t>),
}

/// A target of a definition, with the node that defines it.
struct Target<'t> {
    role: Role,
    node: Node<'t>,
    name: Node<'t>,
}

impl<'t> Arrays<'_, '_, '_, 't> {
    /// What gives a name its value where it is used; `None` where there are several ways to it.
    pub(super) fn binding(&self, used: Node<'t>) -> Option<Binding<'t>> {
        let name = self.text(used);
        let scopes = self.way.scopes;
        let here = scopes.scope_at(used.start_byte());
        let (scope, _) = scopes.lookup(name, here)?;
        let targets: Vec<Target<'t>> = self
            .way
            .definitions
            .get(name)?
            .iter()
            .filter(|(_, node)| scopes.scope_at(node.start_byte()) == scope)
            .filter_map(|(role, node)| self.target(*role, *node, name))
            .collect();
        let mut inside = Some(here);
        while let Some(id) = inside.filter(|id| *id != scope) {
            let known = scopes.scopes.get(id)?;
            if known.kind != ScopeKind::Expression {
                break;
            }
            inside = known.parent;
        }
        let target = if inside == Some(scope) {
            let target = targets
                .iter()
                .rfind(|target| target.node.end_byte() <= used.start_byte())?;
            let again = |turn: Node<'t>| {
                !contains(turn, target.node)
                    && targets
                        .iter()
                        .any(|other| contains(turn, other.node) && other.node.end_byte() > used.start_byte())
            };
            let certain = target.role == Role::Parameter
                || block_of(target.node).is_some_and(|block| contains(block, used));
            let repeated = std::iter::successors(used.parent(), Node::parent)
                .take_while(|outer| outer.kind_name() != "function_definition")
                .filter(|outer| matches!(outer.kind_name(), "for_statement" | "while_statement"))
                .any(again);
            if !certain || repeated {
                return None;
            }
            target
        } else {
            // A function sees what the script has when it is called.
            let [only] = targets.as_slice() else { return None };
            only
        };
        match target.role {
            Role::Parameter => Some(Binding::Parameter(target.name)),
            Role::Assign => self.value(target),
            _ => None,
        }
    }

    /// The target of a definition that makes a name stand for something else.
    fn target(&self, role: Role, node: Node<'t>, name: &str) -> Option<Target<'t>> {
        let left = match role {
            Role::Assign => node
                .child_by_field_id(field::LEFT)
                .filter(|left| !matches!(left.kind_name(), "subscript" | "attribute"))?,
            Role::Opaque | Role::Parameter => node,
            _ => return None,
        };
        let mut names = Vec::new();
        flatten(left, &mut names);
        let name = names.into_iter().find(|target| self.text(*target) == name)?;
        Some(Target { role, node, name })
    }

    fn value(&self, target: &Target<'t>) -> Option<Binding<'t>> {
        let left = target.node.child_by_field_id(field::LEFT)?;
        let mut value = target.node.child_by_field_id(field::RIGHT)?;
        while value.kind_name() == "assignment" {
            value = value.child_by_field_id(field::RIGHT)?;
        }
        let mut names = Vec::new();
        flatten(left, &mut names);
        let index = names.iter().position(|name| *name == target.name)?;
        let id = target.name.start_byte();
        if names.len() > 1 && matches!(value.kind_name(), "expression_list" | "tuple") {
            let values = children(value);
            if values.len() == names.len() {
                let value = *values.get(index)?;
                let part = Part::WHOLE;
                return Some(Binding::Value { value, part, id });
            }
        }
        let part = Part {
            index,
            of: names.len(),
        };
        Some(Binding::Value { value, part, id })
    }

    /// The one call that puts values into a list, where a name stands for a list that begins empty.
    pub(super) fn filling(&self, name: Node<'t>, value: Node<'t>) -> Option<Node<'t>> {
        let value = unparenthesised(value);
        if value.kind_name() != "list" || !children(value).is_empty() {
            return None;
        }
        let scope = self.way.scopes.scope_at(value.start_byte());
        let fills: Vec<Node<'t>> = self
            .way
            .definitions
            .get(self.text(name))?
            .iter()
            .filter(|(role, node)| {
                *role == Role::Call && self.way.scopes.scope_at(node.start_byte()) == scope
            })
            .map(|(_, node)| *node)
            .filter(|call| call.start_byte() > value.end_byte() && call.end_byte() <= name.start_byte())
            .collect();
        let [fill] = fills.as_slice() else { return None };
        let method = fill
            .child_by_field_id(field::FUNCTION)?
            .child_by_field_id(field::ATTRIBUTE)?;
        (self.text(method) == "append").then_some(*fill)
    }
}

/// The block that a statement runs with.
fn block_of(node: Node<'_>) -> Option<Node<'_>> {
    let mut outer = node.parent()?;
    loop {
        match outer.kind_name() {
            "module" => return Some(outer),
            "block" if outer.parent()?.kind_name() != "with_statement" => return Some(outer),
            _ => outer = outer.parent()?,
        }
    }
}
