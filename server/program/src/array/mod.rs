//! Shapes of NumPy arrays, as far as the script itself says them.

mod binding;
mod create;
mod rearrange;
mod reshape;
mod size;

use std::cell::Cell;

use tree_sitter::Node;

use crate::field;
use crate::functions::{Callee, element, elements};
use crate::names;
use crate::provenance::{Part, Way};
use crate::scope::Place;
use crate::syntax::{KindName, children, slice, unparenthesised};
use binding::Binding;

pub use reshape::MixingReshape;
pub use size::Size;

/// Most expressions that are looked at for one array.
const MOST_STEPS: usize = 2_000;

/// Most expressions and functions one inside the other.
const DEEPEST: usize = 40;

/// What is known of the shape of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sizes {
    /// The size of every axis.
    Known(Vec<Size>),
    /// Nothing but that it is that of the array a definition gives: the byte it begins at, and which of its targets.
    Of(usize),
}

impl Sizes {
    pub(crate) fn known(self) -> Option<Vec<Size>> {
        match self {
            Sizes::Known(sizes) => Some(sizes),
            Sizes::Of(_) => None,
        }
    }
}

/// A function that was entered by a call.
pub(crate) struct Frame<'f, 't> {
    callee: Callee<'t>,
    call: Node<'t>,
    outer: Option<&'f Frame<'f, 't>>,
}

/// In which calls of functions something is looked at, and how deep the question is.
#[derive(Clone, Copy)]
pub(crate) struct At<'f, 't> {
    frame: Option<&'f Frame<'f, 't>>,
    depth: usize,
}

impl At<'_, '_> {
    pub(crate) const TOP: At<'static, 'static> = At {
        frame: None,
        depth: 0,
    };
}

/// Reads the shapes of arrays off a script.
pub(crate) struct Arrays<'w, 's, 'a, 't> {
    way: &'w Way<'s, 'a, 't>,
    /// The calls of the script.
    calls: &'w [Node<'t>],
    steps: Cell<usize>,
}

impl<'w, 's, 'a, 't> Arrays<'w, 's, 'a, 't> {
    pub(crate) fn new(way: &'w Way<'s, 'a, 't>, calls: &'w [Node<'t>]) -> Self {
        Arrays {
            way,
            calls,
            steps: Cell::new(0),
        }
    }

    /// The shape of an array, asked for anew.
    pub(crate) fn of(&self, array: Node<'t>) -> Option<Sizes> {
        self.steps.set(0);
        self.shape(array, At::TOP)
    }

    fn text(&self, node: Node<'t>) -> &'a str {
        slice(node, self.way.text)
    }

    /// The dotted name of what is called or read, through the imports.
    fn path(&self, node: Node<'t>) -> Option<String> {
        let place = Place {
            scope: self.way.scopes.scope_at(node.start_byte()),
            block: 0,
        };
        names::path(self.way.scopes, self.way.text, node, place)
    }

    fn argument(&self, call: Node<'t>, name: &str, position: usize) -> Option<Node<'t>> {
        match self.way.argument(call, name, Some(position)) {
            Ok(Some((value, part))) if part == Part::WHOLE => Some(value),
            _ => None,
        }
    }

    /// The arguments of a call by position; `None` where some are spread out.
    fn positional(&self, call: Node<'t>) -> Option<Vec<Node<'t>>> {
        let given = children(call.child_by_field_id(field::ARGUMENTS)?);
        let spread = |node: &Node<'t>| matches!(node.kind_name(), "list_splat" | "dictionary_splat");
        (!given.iter().any(spread)).then(|| {
            given
                .into_iter()
                .filter(|node| node.kind_name() != "keyword_argument")
                .collect()
        })
    }

    fn deeper<'f>(&self, at: At<'f, 't>) -> Option<At<'f, 't>> {
        self.steps.set(self.steps.get() + 1);
        (at.depth < DEEPEST && self.steps.get() < MOST_STEPS).then_some(At {
            depth: at.depth + 1,
            ..at
        })
    }

    fn shape(&self, node: Node<'t>, at: At<'_, 't>) -> Option<Sizes> {
        let at = self.deeper(at)?;
        let node = unparenthesised(node);
        match node.kind_name() {
            "identifier" => self.shape_of_name(node, at),
            "call" => self.shape_of_call(node, Part::WHOLE, at),
            "subscript" => self.shape_of_subscript(node, at).map(Sizes::Known),
            "attribute" => {
                let attribute = self.text(node.child_by_field_id(field::ATTRIBUTE)?);
                let object = node.child_by_field_id(field::OBJECT)?;
                match attribute {
                    "T" => {
                        let mut sizes = self.shape(object, at)?.known()?;
                        sizes.reverse();
                        Some(Sizes::Known(sizes))
                    }
                    "values" => self.shape(object, at),
                    _ => None,
                }
            }
            "unary_operator" => self.shape(node.child_by_field_id(field::ARGUMENT)?, at),
            "binary_operator" => self.shape_of_operation(node, at),
            "list" | "list_comprehension" => self.shape_of_list(node, at).map(Sizes::Known),
            _ => None,
        }
    }

    fn shape_of_name(&self, name: Node<'t>, at: At<'_, 't>) -> Option<Sizes> {
        let (found, own) = match self.binding(name)? {
            Binding::Value { value, part, id, .. } => {
                let found = if part == Part::WHOLE {
                    self.shape_of_filled_list(name, value, at)
                        .map(Sizes::Known)
                        .or_else(|| self.shape(value, at))
                } else {
                    self.shape_of_part(value, part, at)
                };
                (found, id)
            }
            Binding::Parameter(parameter) => (
                self.given(parameter, at, |this, value, at| this.shape(value, at)),
                parameter.start_byte(),
            ),
        };
        Some(found.unwrap_or(Sizes::Of(own)))
    }

    /// The shape of one of several values that an expression gives.
    fn shape_of_part(&self, value: Node<'t>, part: Part, at: At<'_, 't>) -> Option<Sizes> {
        let value = unparenthesised(value);
        if let Some(one) = element(value, part) {
            return self.shape(one, at);
        }
        if elements(value).is_some() || value.kind_name() != "call" {
            return None;
        }
        self.shape_of_call(value, part, at)
    }

    /// What a parameter is given: by the call that the function was entered by, or by all of its calls alike.
    fn given<T: PartialEq>(
        &self,
        parameter: Node<'t>,
        at: At<'_, 't>,
        read: impl Fn(&Self, Node<'t>, At<'_, 't>) -> Option<T>,
    ) -> Option<T> {
        let scope = self.way.scopes.scope_at(parameter.start_byte());
        let start = self.way.scopes.scopes.get(scope)?.range.start;
        if let Some(frame) = at
            .frame
            .filter(|frame| frame.callee.function.start_byte() == start)
        {
            let (value, part) = self.way.passed(frame.callee, frame.call, parameter)?;
            let outer = At {
                frame: frame.outer,
                ..at
            };
            return (part == Part::WHOLE).then(|| read(self, value, outer)).flatten();
        }
        let mut found: Option<T> = None;
        for call in self.calls {
            let Some(callee) = self
                .way
                .callee(*call)
                .filter(|callee| callee.function.start_byte() == start)
            else {
                continue;
            };
            let (value, part) = self.way.passed(callee, *call, parameter)?;
            let at = At { frame: None, ..at };
            let one = (part == Part::WHOLE).then(|| read(self, value, at)).flatten()?;
            if found.as_ref().is_some_and(|found| *found != one) {
                return None;
            }
            found = Some(one);
        }
        found
    }

    /// What a function of the file returns.
    fn shape_of_returned(&self, call: Node<'t>, part: Part, at: At<'_, 't>) -> Option<Sizes> {
        let callee = self.way.callee(call)?;
        let value = children(self.way.returned(callee.function)?).into_iter().next()?;
        let frame = Frame {
            callee,
            call,
            outer: at.frame,
        };
        let inside = At {
            frame: Some(&frame),
            ..at
        };
        let found = if part == Part::WHOLE {
            self.shape(value, inside)
        } else {
            self.shape_of_part(value, part, inside)
        };
        // What a name inside stands for is not the same in each call.
        found.filter(|found| matches!(found, Sizes::Known(_)))
    }

    /// `x / 255`, `(x - mean) / deviation`: of two arrays, the axes of size 1 are stretched to those of the other.
    fn shape_of_operation(&self, node: Node<'t>, at: At<'_, 't>) -> Option<Sizes> {
        let operator = self.text(node.child_by_field_id(field::OPERATOR)?);
        if operator == "@" {
            return None;
        }
        let (left, right) = (
            node.child_by_field_id(field::LEFT)?,
            node.child_by_field_id(field::RIGHT)?,
        );
        let is_number = |node: Node<'t>| matches!(unparenthesised(node).kind_name(), "integer" | "float");
        if is_number(right) {
            return self.shape(left, at);
        }
        if is_number(left) {
            return self.shape(right, at);
        }
        let known = |node| self.shape(node, at).and_then(Sizes::known);
        let (long, other) = match (known(left), known(right)) {
            (Some(left), Some(right)) if left.len() >= right.len() => (left, Some(right)),
            (Some(left), Some(right)) => (right, Some(left)),
            (Some(one), None) | (None, Some(one)) => (one, None),
            (None, None) => return None,
        };
        let of_other = |axis: usize| {
            let other = other.as_ref()?;
            let missing = long.len() - other.len();
            Some(axis.checked_sub(missing).map_or(Size::Number(1), |axis| {
                other.get(axis).cloned().unwrap_or(Size::Unknown)
            }))
        };
        let stretched = long.iter().enumerate().map(|(axis, size)| {
            if *size == Size::Number(1) {
                of_other(axis).unwrap_or(Size::Unknown)
            } else {
                size.clone()
            }
        });
        Some(Sizes::Known(stretched.collect()))
    }
}
