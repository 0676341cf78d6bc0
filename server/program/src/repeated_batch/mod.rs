//! Generators that never end and give the same batch every time.

mod pick;
mod turn;

use std::collections::HashSet;

use finding::Range;
use tree_sitter::Node;

use crate::Program;
use crate::descend::{all, contains, walk};
use crate::field;
use crate::syntax::{KindName, children, range, slice, unparenthesised};
use turn::Loop;

/// A generator that gives the same batch every time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedBatch {
    /// The name of the generator function.
    pub name: String,
    /// The statement that picks the batch.
    pub picks: Range,
}

impl Program {
    /// Generator functions with a loop that never ends, in which nothing changes that the `yield` depends on. `text` is
    /// the text this program was parsed from.
    pub fn repeated_batches(&self, text: &str) -> Vec<RepeatedBatch> {
        let Some(tree) = self
            .tree
            .as_ref()
            .filter(|_| text.contains("yield") && text.contains("while") && self.syntax_errors.is_empty())
        else {
            return Vec::new();
        };
        let functions = all(tree.root_node(), &["function_definition"]);
        functions
            .into_iter()
            .filter_map(|function| repeated(function, text))
            .collect()
    }
}

/// Deeper nested functions were not written by hand.
const DEEPEST: usize = 200;

fn repeated(function: Node<'_>, text: &str) -> Option<RepeatedBatch> {
    let (yields, depth) = walk(function, &["yield"]);
    let [given] = yields.as_slice() else {
        return None;
    };
    if depth > DEEPEST {
        return None;
    }
    // What is sent to a generator, or taken from another one, is not seen.
    let statement = given
        .parent()
        .filter(|parent| parent.kind_name() == "expression_statement")?;
    let mut given_values = children(*given).into_iter();
    let (Some(value), None) = (given_values.next(), given_values.next()) else {
        return None;
    };
    if slice(*given, text)
        .strip_prefix("yield")?
        .trim_start()
        .starts_with("from ")
    {
        return None;
    }
    let body = function.child_by_field_id(field::BODY)?;
    let endless = |node: &Node<'_>| {
        node.kind_name() == "while_statement"
            && node
                .child_by_field_id(field::CONDITION)
                .is_some_and(|condition| matches!(slice(unparenthesised(condition), text), "True" | "1"))
            && contains(*node, *given)
    };
    let turn = children(body).into_iter().find(endless)?;
    let mut repetition = Loop::new(text, *given);
    for part in children(turn.child_by_field_id(field::BODY)?) {
        repetition.note(part, false)?;
    }
    if is_conditional(*given, turn) {
        return None;
    }
    let names = repetition.names(value)?;
    repetition.changes_nothing(turn, &names)?;
    if is_shared(&names, text) {
        return None;
    }
    let picks = repetition.picks(body, turn, value, statement, &names)?;
    let name = slice(function.child_by_field_id(field::NAME)?, text).to_owned();
    Some(RepeatedBatch {
        name,
        picks: range(picks),
    })
}

/// Whether a function declares one of the names to be that of the script or of a function around it.
fn is_shared(names: &HashSet<&str>, text: &str) -> bool {
    text.lines()
        .filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("global ")
                .or_else(|| line.strip_prefix("nonlocal "))
        })
        .flat_map(|declared| declared.split([',', ' ']))
        .any(|name| names.contains(name))
}

/// Whether a node in a loop need not be reached in a turn of it.
fn is_conditional(node: Node<'_>, turn: Node<'_>) -> bool {
    std::iter::successors(node.parent(), Node::parent)
        .take_while(|outer| *outer != turn)
        .any(|outer| {
            matches!(
                outer.kind_name(),
                "if_statement" | "try_statement" | "with_statement" | "match_statement"
            )
        })
}
