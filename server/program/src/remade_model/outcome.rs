//! What becomes of a model and of what its training gives, in a round and behind the loop.

use std::collections::HashSet;

use finding::Range;
use tree_sitter::Node;

use super::round::{Round, function_of, variables};
use crate::descend::{all, contains};
use crate::field;
use crate::provenance::Way;
use crate::syntax::{KindName, range, slice};

/// Methods of a model that train it.
const TRAIN: [&str; 3] = ["fit", "fit_generator", "train_on_batch"];

/// Methods of a model by which nothing of it is kept.
const PREPARE: [&str; 5] = ["add", "compile", "build", "summary", "reset_metrics"];

/// Functions that show something to whoever watches.
const SHOW: [&str; 5] = ["print", "info", "debug", "set_postfix", "set_description"];

/// Functions that make one number, or text, of others.
const CONVERT: [&str; 12] = [
    "float", "int", "str", "round", "len", "format", "mean", "sum", "max", "min", "numpy", "item",
];

/// The calls that train a model that is made in a round; `None` where something of it may outlive the round.
pub(super) fn is_kept_in_round<'t>(
    name: &str,
    made: Node<'t>,
    round: &Round<'_, 't>,
    way: &Way<'_, '_, 't>,
) -> Option<Vec<Node<'t>>> {
    let text = round.text;
    let target = made.child_by_field_id(field::LEFT)?;
    let mut trainings = Vec::new();
    for used in variables(round.turn).filter(|used| slice(*used, text) == name && *used != target) {
        let attribute = used.parent().filter(|parent| parent.kind_name() == "attribute")?;
        let method = slice(attribute.child_by_field_id(field::ATTRIBUTE)?, text);
        let call = attribute
            .parent()
            .filter(|call| call.child_by_field_id(field::FUNCTION) == Some(attribute))?;
        if TRAIN.contains(&method) {
            trainings.push(call);
        } else if !PREPARE.contains(&method) {
            return None;
        }
    }
    let mut results: HashSet<&str> = HashSet::new();
    for training in &trainings {
        results.extend(shown(*training, text)?);
    }
    // What is computed from a result is one as well.
    loop {
        let before = results.len();
        let more: Vec<Vec<&str>> = variables(round.body)
            .filter(|used| results.contains(slice(*used, text)) && !is_target(*used))
            .map(|used| shown(used, text))
            .collect::<Option<_>>()?;
        results.extend(more.into_iter().flatten());
        if results.len() == before {
            break;
        }
    }
    (!is_read_by_functions(name, round, way)).then_some(trainings)
}

/// Whether a name stands on the left side of an assignment.
fn is_target(node: Node<'_>) -> bool {
    std::iter::successors(Some(node), Node::parent)
        .zip(std::iter::successors(node.parent(), Node::parent))
        .take_while(|(_, outer)| !outer.kind_name().ends_with("statement"))
        .any(|(inner, outer)| outer.child_by_field_id(field::LEFT) == Some(inner))
}

/// The names that an expression gives its value to; `None` where anything but showing is done with it.
fn shown<'a>(node: Node<'_>, text: &'a str) -> Option<Vec<&'a str>> {
    let mut inner = node;
    loop {
        let outer = inner.parent()?;
        match outer.kind_name() {
            "expression_statement" => return Some(Vec::new()),
            "assignment" | "augmented_assignment" => {
                let left = outer.child_by_field_id(field::LEFT)?;
                let plain = all(left, &["subscript", "attribute"]).is_empty();
                return plain.then(|| names_of(left, text));
            }
            "call" => {
                let function = outer.child_by_field_id(field::FUNCTION)?;
                let called = function.child_by_field_id(field::ATTRIBUTE).unwrap_or(function);
                let called = slice(called, text);
                if SHOW.contains(&called) {
                    return Some(Vec::new());
                }
                if !CONVERT.contains(&called) {
                    return None;
                }
            }
            "attribute"
            | "subscript"
            | "argument_list"
            | "keyword_argument"
            | "binary_operator"
            | "unary_operator"
            | "parenthesized_expression"
            | "string"
            | "interpolation"
            | "tuple"
            | "list"
            | "expression_list"
            | "format_expression"
            | "format_specifier" => {}
            _ => return None,
        }
        inner = outer;
    }
}

fn names_of<'a>(node: Node<'_>, text: &'a str) -> Vec<&'a str> {
    all(node, &["identifier"])
        .into_iter()
        .map(|name| range(name).slice(text))
        .collect()
}

/// Whether a function of the script reads the variable of the script.
fn is_read_by_functions(name: &str, round: &Round<'_, '_>, way: &Way<'_, '_, '_>) -> bool {
    let own = way.scopes.scope_at(round.turn.start_byte());
    way.bodies
        .values()
        .filter(|body| !contains(**body, round.turn))
        .flat_map(|body| variables(*body))
        .filter(|used| slice(*used, round.text) == name)
        .any(|used| {
            let scope = way.scopes.scope_at(used.start_byte());
            scope != own
                && way
                    .scopes
                    .lookup(name, scope)
                    .is_some_and(|(found, _)| found == own)
        })
}

/// What is done with the model of the last round behind a loop; `None` where that is nothing, or more training.
pub(super) fn used_behind(name: &str, turn: Node<'_>, text: &str) -> Option<Range> {
    let function = function_of(turn);
    let around = function.unwrap_or_else(|| {
        std::iter::successors(Some(turn), Node::parent)
            .last()
            .unwrap_or(turn)
    });
    let behind = variables(around)
        .filter(|used| used.start_byte() >= turn.end_byte() && slice(*used, text) == name)
        .filter(|used| function_of(*used) == function);
    for used in behind {
        if is_target(used) {
            return None;
        }
        let parent = used.parent()?;
        if parent.kind_name() != "attribute" {
            return (parent.kind_name() != "delete_statement").then(|| range(used));
        }
        let method = slice(parent.child_by_field_id(field::ATTRIBUTE)?, text);
        if TRAIN.contains(&method) {
            return None;
        }
        if !PREPARE.contains(&method) {
            return Some(range(parent));
        }
    }
    None
}
