//! The way of values back through a script, step by step: from name to definition and, where asked for, into the functions
//! that are called and out of them by their parameters.

use tree_sitter::Node;

use crate::functions::{Callee, element, elements};
use crate::provenance::{Bound, Definition, Part, Provenance, Way};
use crate::syntax::KindName;
use crate::syntax::{children, slice, unparenthesised};
use crate::{Change, field, names, scope};

/// Longest way that is followed.
const LONGEST: usize = 64;

/// Methods that put the samples of a data set together.
const BATCHING: [&str; 3] = ["batch", "padded_batch", "ragged_batch"];

/// How far the way goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To calls of functions.
    Statements,
    /// Into functions of the same file.
    Functions,
    /// The same, and behind every method: a data set, whatever is done to its samples.
    Pipeline,
}

enum Step {
    Further,
    /// The values are made by the expression.
    Made,
    /// The last change is known.
    Changed(Change),
    /// The way leaves the file.
    Ended,
}

/// A function that was entered by its return value.
#[derive(Clone, Copy)]
struct Frame<'t> {
    callee: Callee<'t>,
    call: Node<'t>,
    before: usize,
}

#[derive(Clone)]
pub(crate) struct Walk<'w, 's, 'a, 't> {
    way: &'w Way<'s, 'a, 't>,
    reach: Reach,
    node: Node<'t>,
    /// Only what stands before this byte counts.
    before: usize,
    /// The expression that the way began with, or last came to through a function.
    start: Node<'t>,
    last: Option<Definition<'t>>,
    part: Part,
    /// Which of a pair of features and labels is followed.
    side: usize,
    /// Whether there was such a pair.
    paired: bool,
    frames: Vec<Frame<'t>>,
    found: Provenance,
}

impl<'w, 's, 'a, 't> Walk<'w, 's, 'a, 't> {
    pub(crate) fn new(way: &'w Way<'s, 'a, 't>, reach: Reach, start: Node<'t>, before: usize) -> Self {
        Walk {
            way,
            reach,
            node: start,
            before,
            start,
            last: None,
            part: Part::WHOLE,
            side: 0,
            paired: false,
            frames: Vec::new(),
            found: Provenance::default(),
        }
    }

    pub(crate) fn provenance(mut self) -> Provenance {
        self.run();
        self.found
    }

    /// The same for the second of a pair; `None` where there is no pair.
    pub(crate) fn labels(mut self) -> Option<Provenance> {
        self.side = 1;
        self.run();
        self.paired.then_some(self.found)
    }

    fn run(&mut self) {
        for _ in 0..LONGEST {
            match self.step() {
                Step::Further => {}
                Step::Made => {
                    self.found.change = Some(self.made());
                    return;
                }
                Step::Changed(change) => {
                    self.found.change = Some(change);
                    return;
                }
                Step::Ended => break,
            }
        }
        // Nothing was found inside: the call makes the values.
        let Some(call) = self.found.entered.pop() else {
            return;
        };
        let at = self.found.chain.iter().rposition(|step| *step == call);
        self.found.chain.truncate(at.unwrap_or_default());
        self.found.change = Some(call);
    }

    /// The statement that the expression belongs to.
    fn made(&self) -> Change {
        match self.last {
            Some(definition) => definition.change,
            None => self.way.in_place(self.start),
        }
    }

    fn step(&mut self) -> Step {
        let way = self.way;
        let deep = self.reach != Reach::Statements;
        let node = unparenthesised(self.node);
        if deep {
            if let Some(chosen) = element(node, self.part) {
                (self.node, self.part) = (chosen, Part::WHOLE);
                return Step::Further;
            }
            if self.enter(node) {
                return Step::Further;
            }
        }
        let kept = way
            .kept(node, self.part, self.side)
            .or_else(|| self.receiver(node));
        let Some(kept) = kept else { return Step::Made };
        if deep {
            self.leave_expression(node, kept);
        }
        if kept.kind_name() != "identifier" {
            self.node = kept;
            return Step::Further;
        }
        if let Some(definition) = self.last {
            self.found.chain.push(definition.change);
        }
        match way.bound(kept, self.before) {
            Some(Bound::Definition(definition)) => {
                let Some(value) = definition.value else {
                    return Step::Changed(definition.change);
                };
                self.before = definition.change.statement.start;
                self.node = value;
                if !deep || definition.part != Part::WHOLE {
                    self.part = definition.part;
                }
                self.last = Some(definition);
                Step::Further
            }
            Some(Bound::Parameter(parameter)) if deep && self.leave(parameter) => Step::Further,
            _ => Step::Ended,
        }
    }

    /// From an expression to one in it that has its values.
    fn leave_expression(&mut self, node: Node<'t>, kept: Node<'t>) {
        match node.kind_name() {
            "subscript" => {
                let index = node
                    .child_by_field_id(field::SUBSCRIPT)
                    .and_then(|index| slice(index, self.way.text).parse().ok());
                self.part = index.map_or(Part::WHOLE, |index| Part { index, of: 0 });
            }
            "identifier" => {}
            _ => self.part = Part::WHOLE,
        }
        let pair = kept.parent().filter(|parent| parent.kind_name() == "tuple");
        let function = node.child_by_field_id(field::FUNCTION);
        self.paired |= pair.is_some()
            && function.is_some_and(|function| slice(function, self.way.text).contains(".from_tensor"));
    }

    /// From a call to what the function of the file returns.
    fn enter(&mut self, call: Node<'t>) -> bool {
        let way = self.way;
        let entered = || {
            let callee = way
                .callee(call)
                .filter(|_| call.kind_name() == "call")
                .filter(|callee| {
                    self.frames
                        .iter()
                        .all(|frame| frame.callee.function != callee.function)
                })?;
            let returned = way.returned(callee.function)?;
            let value = children(returned).into_iter().next()?;
            // Several values, and it is not known which of them is meant.
            (elements(value).is_none() || element(value, self.part).is_some())
                .then_some((callee, returned, value))
        };
        let Some((callee, returned, value)) = entered() else {
            return false;
        };
        let change = self.made();
        self.found.chain.push(change);
        self.found.entered.push(change);
        self.frames.push(Frame {
            callee,
            call,
            before: self.before,
        });
        self.last = None;
        (self.start, self.node) = (value, value);
        if let Some(chosen) = element(value, self.part) {
            (self.start, self.node, self.part) = (chosen, chosen, Part::WHOLE);
        }
        self.before = returned.start_byte();
        true
    }

    /// From a parameter to the argument that the call it was entered by gives it.
    fn leave(&mut self, parameter: Node<'t>) -> bool {
        let way = self.way;
        let scope = way.scopes.scope_at(parameter.start_byte());
        let Some(start) = way.scopes.scopes.get(scope).map(|scope| scope.range.start) else {
            return false;
        };
        while let Some(frame) = self.frames.pop() {
            if frame.callee.function.start_byte() != start {
                continue;
            }
            let Some((value, part)) = way.passed(frame.callee, frame.call, parameter) else {
                return false;
            };
            if part != Part::WHOLE {
                self.part = part;
            }
            (self.start, self.node, self.before, self.last) = (value, value, frame.before, None);
            return true;
        }
        false
    }

    /// The data set that a method is called on.
    fn receiver(&self, call: Node<'t>) -> Option<Node<'t>> {
        let function = call.child_by_field_id(field::FUNCTION)?;
        let place = scope::Place {
            scope: self.way.scopes.scope_at(call.start_byte()),
            block: 0,
        };
        let method = self.reach == Reach::Pipeline
            && function.kind_name() == "attribute"
            && names::path(self.way.scopes, self.way.text, function, place).is_none();
        method
            .then(|| function.child_by_field_id(field::OBJECT))
            .flatten()
    }

    /// Where the size of the batches that a data set gives is written.
    pub(crate) fn batch_size(mut self) -> Option<Node<'t>> {
        for _ in 0..LONGEST {
            let node = unparenthesised(self.node);
            if node.kind_name() == "call" && self.way.callee(node).is_none() {
                let method = node
                    .child_by_field_id(field::FUNCTION)
                    .and_then(|function| function.child_by_field_id(field::ATTRIBUTE))
                    .map_or("", |name| slice(name, self.way.text));
                if method == "unbatch" {
                    return None;
                }
                let position = BATCHING.contains(&method).then_some(0);
                if let Ok(Some((size, _))) = self.way.argument(node, "batch_size", position) {
                    return Some(self.written(size));
                }
            }
            if !matches!(self.step(), Step::Further) {
                return None;
            }
        }
        None
    }

    /// The expression that gives a number its value: the right side for a name, the attribute of a class for that of its
    /// object.
    fn written(&self, size: Node<'t>) -> Node<'t> {
        let begin = |node| Walk {
            reach: Reach::Functions,
            node,
            start: node,
            last: None,
            part: Part::WHOLE,
            ..self.clone()
        };
        let size = unparenthesised(size);
        let found = if size.kind_name() == "attribute" {
            let object = size.child_by_field_id(field::OBJECT);
            let name = size
                .child_by_field_id(field::ATTRIBUTE)
                .map_or("", |name| slice(name, self.way.text));
            object.filter(|_| is_batch_size(name)).and_then(|object| {
                let made = begin(object).behind_names(false);
                let class = self.way.class(made)?;
                self.way.attribute(made, class, name)
            })
        } else {
            Some(begin(size).behind_names(true))
        };
        found.unwrap_or(size)
    }

    /// The first expression behind names and parameters that is none; where the way ends, the last that was met.
    fn behind_names(mut self, of_batch: bool) -> Node<'t> {
        for _ in 0..LONGEST {
            let node = unparenthesised(self.node);
            if node.kind_name() != "identifier" || self.way.class(node).is_some() {
                return node;
            }
            // A number of another name is there for something else as well: the number of samples, say.
            let own = |name| !of_batch || is_batch_size(name);
            let given = matches!(self.way.bound(node, self.before), Some(Bound::Parameter(_)));
            if !given && !own(slice(node, self.way.text)) {
                return node;
            }
            if !matches!(self.step(), Step::Further) {
                break;
            }
        }
        self.start
    }
}

fn is_batch_size(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("batch") || name == "bs"
}
