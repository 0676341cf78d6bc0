//! The nodes in a node.

use tree_sitter::Node;

use crate::syntax::{KindName, range};

/// The nodes of some kinds in a node, in document order, and how deep the deepest lies.
pub(crate) fn walk<'t>(node: Node<'t>, kinds: &[&str]) -> (Vec<Node<'t>>, usize) {
    let (mut found, mut depth, mut deepest) = (Vec::new(), 0, 0);
    let mut cursor = node.walk();
    loop {
        if cursor.node().is_named() && kinds.contains(&cursor.node().kind_name()) {
            found.push(cursor.node());
        }
        if cursor.goto_first_child() {
            depth += 1;
            deepest = deepest.max(depth);
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return (found, deepest);
            }
            depth -= 1;
        }
    }
}

/// The nodes of some kinds in a node, in document order.
pub(crate) fn all<'t>(node: Node<'t>, kinds: &[&str]) -> Vec<Node<'t>> {
    walk(node, kinds).0
}

/// Whether a node lies in another, or is it.
pub(crate) fn contains(outer: Node<'_>, inner: Node<'_>) -> bool {
    range(outer).contains(range(inner))
}
