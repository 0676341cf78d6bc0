//! Layers that are made, and tensors that are computed, and then never looked at again.

use std::collections::HashSet;

use finding::Range;
use fnv::FnvHashMap;
use tree_sitter::Node;

use crate::field;
use crate::syntax::KindName;
use crate::syntax::{range, slice};
use crate::{CallId, Program};

/// Words with which a script may look at any name.
const SPIES: [&str; 10] = [
    "locals()",
    "globals()",
    "vars(",
    "eval(",
    "exec(",
    "getattr(",
    "__dict__",
    "__all__",
    "._layers",
    "self.layers",
];

/// Where more layers are in no model that is known, the models are not understood.
const MOST_OUTSIDE: usize = 100;

/// What is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnusedKind {
    /// A layer, made by a statement of its own.
    Dropped,
    /// A layer in a variable.
    Layer(String),
    /// A layer in an attribute of `self`.
    Attribute(String),
    /// What a layer gives, in a variable.
    Tensor(String),
}

/// A layer that no model gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// The call that makes it.
    pub call: CallId,
    /// What is not used of it.
    pub kind: UnusedKind,
    /// Whether something else is put into the variable before anybody looks at it.
    pub overwritten: bool,
}

impl Program {
    /// Layers, and outputs of layers made on the spot, that nothing in the text looks at. `text` is the text this program
    /// was parsed from.
    pub fn unused(&self, text: &str) -> Vec<Unused> {
        let candidates = self.outside_models();
        if candidates.is_empty()
            || candidates.len() > MOST_OUTSIDE
            || SPIES.iter().any(|spy| text.contains(spy))
            || !self.syntax_errors.is_empty()
        {
            return Vec::new();
        }
        let Some(tree) = &self.tree else {
            return Vec::new();
        };
        let names = Names::new(tree.root_node(), text);
        let find = |call: CallId| {
            let place = self.call(call).range;
            let node = tree
                .root_node()
                .descendant_for_byte_range(place.start, place.end)
                .filter(|node| node.kind_name() == "call" && range(*node) == place)?;
            let (kind, overwritten) = self.look(&names, node)?;
            Some(Unused {
                call,
                kind,
                overwritten,
            })
        };
        candidates.into_iter().filter_map(find).collect()
    }

    /// Calls that make layers of Keras, of which no model is known to have any.
    fn outside_models(&self) -> Vec<CallId> {
        if self.models.is_empty() {
            return Vec::new();
        }
        let layers = self.models.iter().flat_map(|model| &model.layers);
        let used: HashSet<Range> = layers.map(|layer| self.call(layer.call).range).collect();
        let calls = self.calls.iter().enumerate();
        calls
            .filter(|(_, call)| {
                call.callee
                    .strip_prefix("keras.layers.")
                    .is_some_and(|class| !class.starts_with("Input") && class.starts_with(char::is_uppercase))
                    && !used.contains(&call.range)
            })
            .map(|(number, _)| CallId(number))
            .collect()
    }

    fn look(&self, names: &Names<'_, '_>, layer: Node<'_>) -> Option<(UnusedKind, bool)> {
        let parent = layer.parent()?;
        match parent.kind_name() {
            "expression_statement" if parent.named_child_count() == 1 && self.beside_a_model(parent) => {
                Some((UnusedKind::Dropped, false))
            }
            "assignment" => {
                let target = target(parent, layer)?;
                match target.kind_name() {
                    "identifier" => {
                        let overwritten = names.is_dead(parent, target)?;
                        let name = names.slice(target).to_owned();
                        Some((UnusedKind::Layer(name), overwritten))
                    }
                    "attribute" => {
                        let name = names.slice(target.child_by_field_id(field::ATTRIBUTE)?);
                        let of_self = names.slice(target.child_by_field_id(field::OBJECT)?) == "self";
                        let once = names.text.match_indices(name).count() == 1;
                        (of_self && once).then(|| (UnusedKind::Attribute(name.to_owned()), false))
                    }
                    _ => None,
                }
            }
            "call" if parent.child_by_field_id(field::FUNCTION) == Some(layer) => {
                let statement = parent.parent().filter(|node| node.kind_name() == "assignment")?;
                let target = target(statement, parent).filter(|node| node.kind_name() == "identifier")?;
                if !self.is_symbolic(names, parent) {
                    return None;
                }
                let overwritten = names.is_dead(statement, target)?;
                Some((UnusedKind::Tensor(names.slice(target).to_owned()), overwritten))
            }
            _ => None,
        }
    }

    /// Whether a statement stands in a block in which a model is made: elsewhere, a layer may be made to see what happens.
    fn beside_a_model(&self, statement: Node<'_>) -> bool {
        let Some(block) = statement.parent() else {
            return false;
        };
        let place = range(block);
        let tried = block
            .parent()
            .is_some_and(|outer| matches!(outer.kind_name(), "with_statement" | "try_statement"));
        let mut models = self.models.iter().map(|model| self.call(model.call).range);
        !tried
            && models.any(|model| {
                place.contains(model)
                    && statement.prev_named_sibling().is_some()
                    && model.end <= statement.start_byte()
            })
    }

    /// Whether a layer is certainly applied to tensors of a model: a variable that is assigned only inputs and outputs of layers.
    fn is_symbolic(&self, names: &Names<'_, '_>, application: Node<'_>) -> bool {
        let arguments = application.child_by_field_id(field::ARGUMENTS);
        let Some(first) = arguments.and_then(|arguments| arguments.named_child(0)) else {
            return false;
        };
        let function = function_of(application).map(|node| node.id());
        let assigned = names.plain.get(names.slice(first)).into_iter().flatten();
        let mut values = assigned.filter(|assigned| assigned.function.map(|node| node.id()) == function);
        let symbolic = |value: Node<'_>| {
            let made = value
                .child_by_field_id(field::FUNCTION)
                .filter(|function| function.kind_name() == "call")
                .unwrap_or(value);
            let place = range(made);
            self.calls.iter().any(|call| {
                call.range == place
                    && (call.callee.starts_with("keras.layers.") || call.callee == "keras.Input")
            }) && (made != value || names.slice(value).contains("Input"))
        };
        let mut any = false;
        first.kind_name() == "identifier"
            && values.all(|assigned| {
                any = true;
                symbolic(assigned.value)
            })
            && any
    }
}

/// The left side of the plain assignment of a value.
fn target<'t>(assignment: Node<'t>, value: Node<'t>) -> Option<Node<'t>> {
    let is_value = assignment.child_by_field_id(field::RIGHT) == Some(value);
    let plain = assignment.parent()?.kind_name() == "expression_statement";
    assignment
        .child_by_field_id(field::LEFT)
        .filter(|_| is_value && plain && assignment.child_by_field_id(field::TYPE).is_none())
}

/// The innermost function a node stands in, lambdas and comprehensions included.
fn function_of(node: Node<'_>) -> Option<Node<'_>> {
    let mut at = node.parent();
    while let Some(outer) = at {
        if is_scope(outer) {
            return Some(outer);
        }
        at = outer.parent();
    }
    None
}

fn is_scope(node: Node<'_>) -> bool {
    matches!(
        node.kind_name(),
        "function_definition"
            | "lambda"
            | "class_definition"
            | "list_comprehension"
            | "set_comprehension"
            | "dictionary_comprehension"
            | "generator_expression"
    )
}

/// `name = value` as a statement.
struct Assigned<'t> {
    value: Node<'t>,
    statement: Node<'t>,
    block: Option<Node<'t>>,
    /// The innermost function.
    function: Option<Node<'t>>,
}

/// A name anywhere else.
struct Other<'t> {
    node: Node<'t>,
    function: Option<Node<'t>>,
    /// Whether it is declared `global`.
    global: bool,
}

/// Where names stand in a text.
struct Names<'a, 't> {
    text: &'a str,
    /// Plain assignments to one name, by name.
    plain: FnvHashMap<&'a str, Vec<Assigned<'t>>>,
    /// Every other place of a name, whatever it does there.
    others: FnvHashMap<&'a str, Vec<Other<'t>>>,
}

impl<'a, 't> Names<'a, 't> {
    fn new(root: Node<'t>, text: &'a str) -> Self {
        let mut names = Names {
            text,
            plain: FnvHashMap::default(),
            others: FnvHashMap::default(),
        };
        let mut cursor = root.walk();
        // To ask a node for its parent costs a way from the root.
        let mut above: Vec<Node<'t>> = Vec::new();
        let mut functions: Vec<Node<'t>> = Vec::new();
        loop {
            let node = cursor.node();
            if node.kind_name() == "identifier" {
                names.note(node, cursor.field_name(), &above, functions.last().copied());
            }
            if cursor.goto_first_child() {
                above.push(node);
                if is_scope(node) {
                    functions.push(node);
                }
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return names;
                }
                if above.pop() == functions.last().copied() {
                    functions.pop();
                }
            }
        }
    }

    fn note(&mut self, node: Node<'t>, field: Option<&str>, above: &[Node<'t>], function: Option<Node<'t>>) {
        let mut outer = above.iter().rev();
        let (Some(parent), around) = (outer.next(), outer.next()) else {
            return;
        };
        let kind = parent.kind_name();
        if let ("attribute", Some("attribute")) | ("keyword_argument", Some("name")) = (kind, field) {
            return;
        }
        let name = self.slice(node);
        if let ("assignment", Some("left")) = (kind, field)
            && let Some(value) = parent.child_by_field_id(field::RIGHT)
            && parent.child_by_field_id(field::TYPE).is_none()
            && let Some(statement) = around.filter(|around| around.kind_name() == "expression_statement")
        {
            self.plain.entry(name).or_default().push(Assigned {
                value,
                statement: *statement,
                block: outer.next().copied(),
                function,
            });
            return;
        }
        self.others.entry(name).or_default().push(Other {
            node,
            function,
            global: kind.starts_with("global"),
        });
    }

    fn slice(&self, node: Node<'_>) -> &'a str {
        slice(node, self.text)
    }

    /// Whether nobody looks at what an assignment puts into a name; then, whether something else is put there later.
    fn is_dead(&self, assignment: Node<'t>, target: Node<'t>) -> Option<bool> {
        let name = self.slice(target);
        if name.starts_with('_') {
            return None;
        }
        let statement = assignment.parent()?;
        let block = statement.parent()?;
        let scope = function_of(assignment);
        if scope.is_some_and(|scope| scope.kind_name() != "function_definition") {
            return None;
        }
        let next = self.plain.get(name).into_iter().flatten();
        let next = next
            .filter(|other| other.block == Some(block))
            .map(|other| other.statement)
            .filter(|other| other.start_byte() > statement.start_byte())
            .map(|other| other.end_byte())
            .min();
        // A loop comes back to what stands before.
        let begin = match next {
            Some(_) => statement.end_byte(),
            None => outermost_loop(statement, scope).map_or(statement.end_byte(), |node| node.start_byte()),
        };
        let end = next.unwrap_or(self.text.len());
        let others = self.others.get(name).map(Vec::as_slice).unwrap_or_default();
        let looked_at = others.iter().any(|other| {
            if other.function == scope {
                return other.global || (begin <= other.node.start_byte() && other.node.start_byte() < end);
            }
            let other = other.node;
            // From a function within, at any time; from one beside, not at all, unless it is the module's.
            match scope {
                Some(scope) => {
                    scope.start_byte() <= other.start_byte() && other.end_byte() <= scope.end_byte()
                }
                None => true,
            }
        });
        (!looked_at).then_some(next.is_some())
    }
}

fn outermost_loop<'t>(node: Node<'t>, scope: Option<Node<'t>>) -> Option<Node<'t>> {
    let mut found = None;
    let mut at = node.parent();
    while let Some(outer) = at.filter(|outer| Some(*outer) != scope) {
        if matches!(outer.kind_name(), "for_statement" | "while_statement") {
            found = Some(outer);
        }
        at = outer.parent();
    }
    found
}
