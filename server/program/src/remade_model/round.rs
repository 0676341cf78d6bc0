//! What differs from one round of a loop to the next.

use std::collections::HashSet;

use finding::Range;
use tree_sitter::Node;

use crate::descend::all;
use crate::field;
use crate::syntax::{KindName, children, slice, unparenthesised};

/// Words of loops that repeat or compare whole trainings, rather than going on with one.
const EXPERIMENTS: [&str; 4] = ["fold", "trial", "experiment", "seed"];

/// Splitters of scikit-learn: their rounds are those of a cross-validation.
const SPLITTERS: [&str; 5] = ["KFold", "ShuffleSplit", "TimeSeriesSplit", "LeaveOne", "GroupOut"];

/// A loop, with the names whose values depend on the round.
pub(super) struct Round<'a, 't> {
    pub(super) text: &'a str,
    pub(super) turn: Node<'t>,
    pub(super) body: Node<'t>,
    changing: HashSet<&'a str>,
}

pub(super) fn is_loop(node: Node<'_>) -> bool {
    matches!(node.kind_name(), "for_statement" | "while_statement")
}

/// The function a node stands in.
pub(super) fn function_of(node: Node<'_>) -> Option<Node<'_>> {
    std::iter::successors(node.parent(), Node::parent)
        .find(|outer| matches!(outer.kind_name(), "function_definition" | "lambda"))
}

/// The variables in a node: names of attributes and of keywords are none.
pub(crate) fn variables<'t>(node: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    all(node, &["identifier"]).into_iter().filter(|name| {
        let Some(parent) = name.parent() else { return true };
        let own = match parent.kind_name() {
            "attribute" => parent.child_by_field_id(field::ATTRIBUTE),
            "keyword_argument" => parent.child_by_field_id(field::NAME),
            _ => None,
        };
        own != Some(*name)
    })
}

pub(super) fn names<'a>(node: Node<'_>, text: &'a str) -> std::vec::IntoIter<&'a str> {
    let names: Vec<&'a str> = variables(node).map(|name| slice(name, text)).collect();
    names.into_iter()
}

impl<'a, 't> Round<'a, 't> {
    pub(super) fn new(text: &'a str, turn: Node<'t>) -> Option<Self> {
        let body = turn.child_by_field_id(field::BODY)?;
        let mut changing: HashSet<&'a str> = HashSet::new();
        if let Some(left) = turn.child_by_field_id(field::LEFT) {
            changing.extend(names(left, text));
        }
        let mut given: Vec<(Vec<&'a str>, Node<'t>)> = Vec::new();
        for node in all(body, &["assignment", "augmented_assignment", "for_statement"]) {
            let (Some(left), Some(right)) = (
                node.child_by_field_id(field::LEFT),
                node.child_by_field_id(field::RIGHT),
            ) else {
                continue;
            };
            let targets: Vec<&'a str> = names(left, text).collect();
            let goes_on = node.kind_name() == "augmented_assignment"
                || all(right, &["call"]).iter().any(|call| is_next(*call, text));
            if goes_on {
                changing.extend(targets);
            } else {
                given.push((targets, right));
            }
        }
        loop {
            let before = changing.len();
            for (targets, value) in &given {
                if names(*value, text).any(|name| changing.contains(name)) {
                    changing.extend(targets);
                }
            }
            if changing.len() == before {
                break;
            }
        }
        Some(Round {
            text,
            turn,
            body,
            changing,
        })
    }

    /// Whether the expression at a range depends on the round.
    pub(super) fn changes(&self, expression: Range) -> bool {
        self.body
            .named_descendant_for_byte_range(expression.start, expression.end)
            .is_some_and(|node| names(node, self.text).any(|name| self.changing.contains(name)))
    }

    /// The same, where the shape of an array counts for nothing.
    pub(super) fn asks_for_round(&self, node: Node<'t>) -> bool {
        variables(node).any(|name| {
            let of_shape = name
                .parent()
                .and_then(|parent| parent.child_by_field_id(field::ATTRIBUTE))
                .is_some_and(|attribute| slice(attribute, self.text) == "shape");
            !of_shape && self.changing.contains(slice(name, self.text))
        })
    }

    /// Whether a round may end before its end, or be the last one.
    pub(super) fn ends_early(&self) -> bool {
        let leaves = [
            "break_statement",
            "return_statement",
            "try_statement",
            "yield",
            "function_definition",
            "class_definition",
            "lambda",
        ];
        !all(self.body, &leaves).is_empty()
    }

    /// Whether the rounds are trainings that are repeated or compared: folds, settings, seeds.
    pub(super) fn is_experiment(&self) -> bool {
        let header = Range::new(self.turn.start_byte(), self.body.start_byte())
            .slice(self.text)
            .to_lowercase();
        let settings = self
            .turn
            .child_by_field_id(field::RIGHT)
            .map(unparenthesised)
            .is_some_and(|right| match right.kind_name() {
                "list" | "tuple" | "expression_list" => children(right)
                    .iter()
                    .all(|element| matches!(element.kind_name(), "integer" | "float" | "true" | "false")),
                "call" => ["linspace", "logspace", "product", "Grid"]
                    .iter()
                    .any(|way| slice(right, self.text).contains(way)),
                _ => false,
            });
        let seeds = || {
            all(self.body, &["call"]).iter().any(|call| {
                call.child_by_field_id(field::FUNCTION)
                    .is_some_and(|function| slice(function, self.text).contains("seed"))
            })
        };
        EXPERIMENTS.iter().any(|word| header.contains(word))
            || SPLITTERS.iter().any(|splitter| self.text.contains(splitter))
            || settings
            || seeds()
    }

    /// Whether a round takes what an earlier one had, and more: the data of a learning curve.
    pub(super) fn grows(&self) -> bool {
        all(self.body, &["slice"]).into_iter().any(|part| {
            let written = slice(part, self.text).trim();
            (written.starts_with(':') || written.ends_with(':'))
                && names(part, self.text).any(|name| self.changing.contains(name))
        })
    }

    /// Whether the time that a round takes is measured.
    pub(super) fn is_timed(&self) -> bool {
        names(self.body, self.text).any(|name| name.contains("time"))
            || slice(self.body, self.text).contains("perf_counter")
    }
}

/// `next(batches)`
fn is_next(call: Node<'_>, text: &str) -> bool {
    call.child_by_field_id(field::FUNCTION)
        .is_some_and(|function| slice(function, text) == "next")
}
