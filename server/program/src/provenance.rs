//! Where the values of a variable come from: the statement that last changed them, behind all that only moves them about.

use finding::Range;
use fnv::FnvHashMap;
use tree_sitter::Node;

use crate::field;
use crate::names::path;
use crate::roles::{Role, roles};
use crate::scope::{Place, ScopeId, Scopes, base_name};
use crate::syntax::KindName;
use crate::syntax::{children, range, slice, unparenthesised};
use crate::walk::{Reach, Walk};
use crate::{Change, Program};

/// Methods that move values about, or change their type or shape, but not the values.
const KEEPING_METHODS: [&str; 27] = [
    "reshape",
    "astype",
    "copy",
    "ravel",
    "flatten",
    "transpose",
    "squeeze",
    "swapaxes",
    "view",
    "to_numpy",
    "numpy",
    "tolist",
    "toarray",
    "todense",
    "shuffle",
    "batch",
    "prefetch",
    "cache",
    "repeat",
    "take",
    "skip",
    "unbatch",
    "head",
    "tail",
    "sample",
    "drop",
    "reset_index",
];

/// Attributes of an array or table that are the same values.
const KEEPING_ATTRIBUTES: [&str; 5] = ["values", "T", "iloc", "loc", "array"];

/// Functions that give the values of their first argument.
const KEEPING_FUNCTIONS: [&str; 22] = [
    "numpy.array",
    "numpy.asarray",
    "numpy.ascontiguousarray",
    "numpy.copy",
    "numpy.reshape",
    "numpy.expand_dims",
    "numpy.squeeze",
    "numpy.ravel",
    "numpy.transpose",
    "numpy.swapaxes",
    "numpy.moveaxis",
    "numpy.float32",
    "pandas.DataFrame",
    "pandas.Series",
    "tensorflow.convert_to_tensor",
    "tensorflow.constant",
    "tensorflow.cast",
    "tensorflow.reshape",
    "tensorflow.expand_dims",
    "tensorflow.squeeze",
    "tensorflow.data.Dataset.from_tensor_slices",
    "tensorflow.data.Dataset.from_tensors",
];

/// Methods that put values into a list or table.
pub(crate) const FILLING_METHODS: [&str; 4] = ["append", "extend", "insert", "update"];

/// Where the values of an expression come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The statement that last changed the values; `None` when the way ends at a parameter, a loop variable or
    /// something that is not in the file.
    pub change: Option<Change>,
    /// The statements on the way to it that only moved the values about (splits, slices, reshapes, new names),
    /// nearest to the use first.
    pub chain: Vec<Change>,
    /// Those among them whose values a function of the same file gives that was looked into.
    pub entered: Vec<Change>,
}

impl Program {
    /// Where the values of the expression at `expression` (an argument of `fit`, say) come from, looking only at what
    /// stands before the byte `before`. `text` is the text this program was parsed from.
    pub fn provenance(&self, text: &str, expression: Range, before: usize) -> Provenance {
        self.provenances(text, &[(expression, before)])
            .pop()
            .unwrap_or_default()
    }

    /// The same for several expressions, each before a byte of its own: the script is gone through once.
    pub fn provenances(&self, text: &str, uses: &[(Range, usize)]) -> Vec<Provenance> {
        let Some(tree) = self.tree.as_ref().filter(|_| !uses.is_empty()) else {
            return vec![Provenance::default(); uses.len()];
        };
        let roles = roles(tree, text);
        let scopes = Scopes::new(&roles, text);
        let way = Way::new(&roles, &scopes, text);
        let follow = |(expression, before): &(Range, usize)| {
            let node = tree
                .root_node()
                .named_descendant_for_byte_range(expression.start, expression.end);
            node.map_or_else(Provenance::default, |node| way.follow(node, *before))
        };
        uses.iter().map(follow).collect()
    }

    /// The same through the functions of the file that give the values: down to the statement in them that makes what they
    /// return. Of a data set of pairs, the features.
    pub fn provenance_through_calls(&self, text: &str, expression: Range, before: usize) -> Provenance {
        self.with_way(text, expression, |way, node| {
            Walk::new(way, Reach::Functions, node, before).provenance()
        })
        .unwrap_or_default()
    }

    /// The same for the labels of a data set of pairs; `None` where no pair is found on the way.
    pub fn provenance_of_pair_labels(
        &self,
        text: &str,
        expression: Range,
        before: usize,
    ) -> Option<Provenance> {
        self.with_way(text, expression, |way, node| {
            Walk::new(way, Reach::Functions, node, before).labels()
        })?
    }

    /// The argument of the last `.batch(…)` that the data set at `expression` went through: the number where it is written
    /// out, else what is written there.
    pub fn batch_size_of(&self, text: &str, expression: Range, before: usize) -> Option<Range> {
        self.with_way(text, expression, |way, node| {
            Walk::new(way, Reach::Pipeline, node, before)
                .batch_size()
                .map(range)
        })?
    }

    fn with_way<T>(
        &self,
        text: &str,
        expression: Range,
        asked: impl for<'s, 'a, 't> FnOnce(&Way<'s, 'a, 't>, Node<'t>) -> T,
    ) -> Option<T> {
        let tree = self.tree.as_ref()?;
        let node = tree
            .root_node()
            .named_descendant_for_byte_range(expression.start, expression.end)?;
        let roles = roles(tree, text);
        let scopes = Scopes::new(&roles, text);
        Some(asked(&Way::new(&roles, &scopes, text), node))
    }

    /// The statement before the byte `before` that last changes the values of the expression at `expression`.
    pub fn last_change(&self, text: &str, expression: Range, before: usize) -> Option<Change> {
        self.provenance(text, expression, before).change
    }
}

/// Part of a statement that gives a name its value.
#[derive(Clone, Copy)]
pub(crate) struct Definition<'t> {
    pub change: Change,
    /// The expression to look into; `None` when the values change here in any case.
    pub value: Option<Node<'t>>,
    /// Which of the targets on the left side it is.
    pub part: Part,
}

/// One of several values that an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl Part {
    /// All of it.
    pub const WHOLE: Part = Part { index: 0, of: 1 };
}

/// What gives a name its value.
pub(crate) enum Bound<'t> {
    Definition(Definition<'t>),
    Parameter(Node<'t>),
}

pub(crate) struct Way<'s, 'a, 't> {
    pub text: &'a str,
    pub scopes: &'s Scopes<'a, 't>,
    /// The nodes that may give a name its value, in document order.
    pub definitions: FnvHashMap<&'a str, Vec<(Role, Node<'t>)>>,
    /// The functions and classes, by the byte they begin at.
    pub bodies: FnvHashMap<usize, Node<'t>>,
}

impl<'s, 'a, 't> Way<'s, 'a, 't> {
    pub(crate) fn new(roles: &[(Role, Node<'t>)], scopes: &'s Scopes<'a, 't>, text: &'a str) -> Self {
        let mut definitions: FnvHashMap<&'a str, Vec<(Role, Node<'t>)>> = FnvHashMap::default();
        let mut bodies = FnvHashMap::default();
        let mut names = Vec::new();
        for (role, node) in roles {
            if matches!(role, Role::Function | Role::Class) {
                bodies.insert(node.start_byte(), *node);
            }
            defined(*role, *node, text, &mut names);
            for name in names.drain(..) {
                let known = definitions.entry(slice(name, text)).or_default();
                known.push((*role, *node));
            }
        }
        Way {
            text,
            scopes,
            definitions,
            bodies,
        }
    }

    pub(crate) fn follow(&self, argument: Node<'t>, before: usize) -> Provenance {
        Walk::new(self, Reach::Statements, argument, before).provenance()
    }

    /// The expression whose values this one has; `None` when it makes its own.
    pub(crate) fn kept(&self, node: Node<'t>, part: Part, side: usize) -> Option<Node<'t>> {
        let node = unparenthesised(node);
        match node.kind_name() {
            "identifier" => Some(node),
            "subscript" => node.child_by_field_id(field::VALUE),
            "attribute" => {
                let name = slice(node.child_by_field_id(field::ATTRIBUTE)?, self.text);
                let object = node.child_by_field_id(field::OBJECT)?;
                KEEPING_ATTRIBUTES.contains(&name).then_some(object)
            }
            "call" => self.kept_by_call(node, part, side),
            _ => None,
        }
    }

    fn kept_by_call(&self, call: Node<'t>, part: Part, side: usize) -> Option<Node<'t>> {
        let function = call.child_by_field_id(field::FUNCTION)?;
        let arguments: Vec<_> = children(call.child_by_field_id(field::ARGUMENTS)?)
            .into_iter()
            .filter(|argument| argument.kind_name() != "keyword_argument")
            .collect();
        let place = Place {
            scope: self.scopes.scope_at(call.start_byte()),
            block: 0,
        };
        if let Some(path) = path(self.scopes, self.text, function, place) {
            let Part { index, of: targets } = part;
            let kept = match path.as_str() {
                "sklearn.model_selection.train_test_split" | "sklearn.cross_validation.train_test_split" => {
                    arguments.get(if targets == 1 { 0 } else { index / 2 })
                }
                "sklearn.utils.shuffle" => arguments.get(index),
                name if KEEPING_FUNCTIONS.contains(&name) => arguments.first(),
                _ => None,
            }?;
            // A pair of features and labels.
            let kept = if kept.kind_name() == "tuple" {
                *children(*kept).get(side)?
            } else {
                *kept
            };
            return self.has_source(kept).then_some(kept);
        }
        let method = function
            .child_by_field_id(field::ATTRIBUTE)
            .map_or("", |name| slice(name, self.text));
        KEEPING_METHODS
            .contains(&method)
            .then(|| function.child_by_field_id(field::OBJECT))
            .flatten()
    }

    /// Whether an expression reads values from elsewhere, rather than spelling them out.
    fn has_source(&self, node: Node<'t>) -> bool {
        matches!(
            unparenthesised(node).kind_name(),
            "identifier" | "subscript" | "attribute" | "call"
        )
    }

    /// An argument that makes its own values.
    pub(crate) fn in_place(&self, argument: Node<'t>) -> Change {
        let mut statement = argument;
        while let Some(parent) = statement.parent() {
            if matches!(parent.kind_name(), "block" | "module") {
                break;
            }
            statement = parent;
        }
        Change {
            statement: range(statement),
            value: range(argument),
            target: range(argument),
        }
    }

    /// The last thing before a byte that gives a name its value.
    pub(crate) fn bound(&self, used: Node<'t>, before: usize) -> Option<Bound<'t>> {
        let name = slice(used, self.text);
        let here = self.scopes.scope_at(used.start_byte());
        let (scope, _) = self.scopes.lookup(name, here)?;
        // A function may be defined long before it is called: there, everything in the outer scope counts.
        let limit = if scope == here { before } else { usize::MAX };
        let known = self.definitions.get(name)?;
        let until = known.partition_point(|(_, node)| node.start_byte() < limit);
        let (role, node, definition) = known
            .get(..until)?
            .iter()
            .rev()
            .filter(|(_, node)| node.end_byte() <= limit)
            .filter_map(|(role, node)| Some((*role, *node, self.defines(*role, *node, name)?)))
            .find(|(_, node, _)| self.belongs(*node, scope))?;
        match definition {
            Some(definition) => Some(Bound::Definition(definition)),
            None if role == Role::Parameter => Some(Bound::Parameter(node)),
            None => None,
        }
    }

    fn belongs(&self, node: Node<'t>, scope: ScopeId) -> bool {
        self.scopes.scope_at(node.start_byte()) == scope
    }

    /// What a node does to a name: nothing; a definition; or something that cannot be followed.
    fn defines(&self, role: Role, node: Node<'t>, name: &str) -> Option<Option<Definition<'t>>> {
        match role {
            Role::Assign => {
                let (left, right) = (
                    node.child_by_field_id(field::LEFT)?,
                    node.child_by_field_id(field::RIGHT)?,
                );
                self.assigned(node, left, right, name).map(Some)
            }
            Role::Change
                if node
                    .parent()
                    .is_some_and(|parent| parent.kind_name() == "augmented_assignment") =>
            {
                let statement = node.parent()?;
                let value = statement.child_by_field_id(field::RIGHT)?;
                self.changes_part(node, name)
                    .then(|| Some(definition(statement, value, node)))
            }
            Role::Call => {
                let function = node
                    .child_by_field_id(field::FUNCTION)
                    .filter(|node| node.kind_name() == "attribute")?;
                let method = slice(function.child_by_field_id(field::ATTRIBUTE)?, self.text);
                let object = function.child_by_field_id(field::OBJECT)?;
                let fills = FILLING_METHODS.contains(&method)
                    && object.kind_name() == "identifier"
                    && slice(object, self.text) == name;
                fills.then(|| Some(definition(node, node, object)))
            }
            Role::Opaque | Role::Parameter => {
                // A loop variable, or a parameter.
                let mut targets = Vec::new();
                flatten(node, &mut targets);
                targets
                    .iter()
                    .any(|target| slice(*target, self.text) == name)
                    .then_some(None)
            }
            _ => None,
        }
    }

    fn changes_part(&self, target: Node<'t>, name: &str) -> bool {
        base_name(target).is_some_and(|base| slice(base, self.text) == name)
    }

    fn assigned(
        &self,
        statement: Node<'t>,
        left: Node<'t>,
        right: Node<'t>,
        name: &str,
    ) -> Option<Definition<'t>> {
        let mut value = right;
        while value.kind_name() == "assignment" {
            value = value.child_by_field_id(field::RIGHT)?;
        }
        if matches!(left.kind_name(), "subscript" | "attribute") {
            return self
                .changes_part(left, name)
                .then(|| definition(statement, value, left));
        }
        let mut targets = Vec::new();
        flatten(left, &mut targets);
        let index = targets
            .iter()
            .position(|target| slice(*target, self.text) == name)?;
        let target = *targets.get(index)?;
        let values = if targets.len() > 1 && matches!(value.kind_name(), "expression_list" | "tuple") {
            children(value)
        } else {
            Vec::new()
        };
        let value = if values.len() == targets.len() {
            *values.get(index)?
        } else {
            value
        };
        let change = Change {
            statement: range(statement),
            value: range(value),
            target: range(target),
        };
        Some(Definition {
            change,
            value: Some(value),
            part: Part {
                index,
                of: targets.len(),
            },
        })
    }
}

/// The names that a node may give a value.
fn defined<'t>(role: Role, node: Node<'t>, text: &str, names: &mut Vec<Node<'t>>) {
    match role {
        Role::Assign => match node.child_by_field_id(field::LEFT) {
            Some(left) if matches!(left.kind_name(), "subscript" | "attribute") => {
                names.extend(base_name(left));
            }
            Some(left) => flatten(left, names),
            None => {}
        },
        Role::Change => names.extend(base_name(node)),
        Role::Call => {
            let function = node.child_by_field_id(field::FUNCTION);
            let method = function.and_then(|function| function.child_by_field_id(field::ATTRIBUTE));
            if method.is_some_and(|method| FILLING_METHODS.contains(&slice(method, text))) {
                let object = function.and_then(|function| function.child_by_field_id(field::OBJECT));
                names.extend(object.filter(|object| object.kind_name() == "identifier"));
            }
        }
        Role::Opaque | Role::Parameter => flatten(node, names),
        _ => {}
    }
}

/// A statement that changes values whatever they were before.
fn definition<'t>(statement: Node<'t>, value: Node<'t>, target: Node<'t>) -> Definition<'t> {
    let change = Change {
        statement: range(statement),
        value: range(value),
        target: range(target),
    };
    Definition {
        change,
        value: None,
        part: Part::WHOLE,
    }
}

/// The names in a target, in order.
pub(crate) fn flatten<'t>(target: Node<'t>, names: &mut Vec<Node<'t>>) {
    let mut todo = vec![target];
    while let Some(node) = todo.pop() {
        match node.kind_name() {
            "identifier" => names.push(node),
            "pattern_list" | "tuple_pattern" | "list_pattern" | "expression_list" | "tuple" | "list" => {
                todo.extend(children(node).into_iter().rev());
            }
            _ => {}
        }
    }
}
