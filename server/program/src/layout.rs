//! How the lines of a script belong together: what the models say nothing about.

use finding::Range;
use tree_sitter::{Node, Tree, TreeCursor};

use crate::Program;
use crate::field;
use crate::syntax::KindName;
use crate::syntax::{self, range};

/// Comments, strings and simple statements of a script, each in source order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The comments, `#` included.
    pub comments: Vec<Range>,
    /// The string literals, prefix and quotes included.
    pub strings: Vec<Range>,
    /// The statements that hold no other statement.
    pub statements: Vec<Range>,
}

impl Layout {
    /// Reads a script; `None` when it is too large or too far from Python to be read.
    pub fn of(text: &str) -> Option<Layout> {
        syntax::parse(text, None).map(|tree| Layout::read(&tree))
    }

    fn read(tree: &Tree) -> Layout {
        let mut layout = Layout::default();
        let mut cursor = tree.walk();
        // A cursor instead of recursion: scripts may nest more deeply than the stack allows.
        loop {
            let node = cursor.node();
            layout.note(node);
            let inside = node.kind_name() != "string" && cursor.goto_first_child();
            if !inside && !next(&mut cursor) {
                return layout;
            }
        }
    }

    fn note(&mut self, node: Node<'_>) {
        match node.kind_name() {
            "comment" => self.comments.push(range(node)),
            "string" => self.strings.push(range(node)),
            _ => {}
        }
        let is_statement = node
            .parent()
            .is_some_and(|parent| matches!(parent.kind_name(), "module" | "block"));
        let is_compound = [field::BODY, field::CONSEQUENCE, field::DEFINITION]
            .iter()
            .any(|field| node.child_by_field_id(*field).is_some());
        if is_statement
            && !is_compound
            && node.is_named()
            && !node.is_extra()
            && node.kind_name() != "try_statement"
        {
            self.statements.push(range(node));
        }
    }
}

impl Program {
    /// The comments, strings and simple statements; `None` when the text could not be read.
    pub fn layout(&self) -> Option<Layout> {
        self.tree.as_ref().map(Layout::read)
    }
}

/// Moves to the node after this one and what it holds.
fn next(cursor: &mut TreeCursor<'_>) -> bool {
    loop {
        if cursor.goto_next_sibling() {
            return true;
        }
        if !cursor.goto_parent() {
            return false;
        }
    }
}

/// The lines of a statement, when it has them to itself.
pub fn whole_lines(text: &str, statement: Range) -> Option<Range> {
    let start = text[..statement.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[statement.end..]
        .find('\n')
        .map_or(text.len(), |at| statement.end + at + 1);
    let around = [&text[start..statement.start], &text[statement.end..end]];
    around
        .iter()
        .all(|rest| rest.trim().is_empty())
        .then(|| Range::new(start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_simple_statements_are_told_apart() {
        let text =
            "x = f(\n    '# no',  # yes\n)\nif x:\n    y = 1; z = 2\ntry:\n    a()\nexcept E:\n    pass\n";
        let layout = Layout::of(text).unwrap();
        let texts = |ranges: &[Range]| -> Vec<String> {
            ranges.iter().map(|range| range.slice(text).to_owned()).collect()
        };
        assert_eq!(texts(&layout.comments), ["# yes"]);
        assert_eq!(texts(&layout.strings), ["'# no'"]);
        assert_eq!(
            texts(&layout.statements),
            ["x = f(\n    '# no',  # yes\n)", "y = 1", "z = 2", "a()", "pass"]
        );
    }
}
