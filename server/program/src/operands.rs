//! The two sides of an operation, where the text holds only one of its kind.

use finding::Range;
use tree_sitter::Node;

use crate::Program;
use crate::syntax::{children, range, slice};

/// Deepest nesting that is looked into.
const DEEPEST: usize = 200;

impl Program {
    /// Both operands of the only `left operator right`, or the only call `operator(left, right)`, that begins within a range;
    /// `None` when there are several.
    pub fn operands_in(&self, text: &str, within: Range, operator: &str) -> Option<[Range; 2]> {
        let mut found = Vec::new();
        collect(
            self.tree.as_ref()?.root_node(),
            text,
            within,
            operator,
            0,
            &mut found,
        );
        match found[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

fn collect(
    node: Node<'_>,
    text: &str,
    within: Range,
    operator: &str,
    depth: usize,
    found: &mut Vec<[Range; 2]>,
) {
    if node.end_byte() <= within.start || node.start_byte() >= within.end || depth > DEEPEST {
        return;
    }
    if within.contains_offset(node.start_byte())
        && let Some(both) = operands(node, text, operator)
    {
        found.push(both);
    }
    for child in children(node) {
        collect(child, text, within, operator, depth + 1, found);
    }
}

fn operands(node: Node<'_>, text: &str, operator: &str) -> Option<[Range; 2]> {
    match node.kind() {
        "binary_operator" => {
            let written = slice(node.child_by_field_name("operator")?, text);
            let side = |name| node.child_by_field_name(name).map(range);
            (written == operator).then_some([side("left")?, side("right")?])
        }
        "call" => {
            let function = slice(node.child_by_field_name("function")?, text);
            let named = function.rsplit('.').next() == Some(operator);
            let arguments = children(node.child_by_field_name("arguments")?);
            match &arguments[..] {
                [left, right]
                    if named && [left, right].iter().all(|side| side.kind() != "keyword_argument") =>
                {
                    Some([range(*left), range(*right)])
                }
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_the_only_operation_of_its_kind() {
        let text = "loss = tf.reduce_mean(tf.square(y - pred) * 2)\nother = a - b - c\nd = tf.math.squared_difference(y, p)\n";
        let program = Program::parse(text);
        let sides = |line: &str, operator: &str| {
            let start = text.find(line).unwrap();
            let end = start + text[start..].find('\n').unwrap();
            let both = program.operands_in(text, Range::new(start, end), operator)?;
            Some(both.map(|side| side.slice(text)))
        };
        assert_eq!(sides("loss", "-"), Some(["y", "pred"]));
        assert_eq!(sides("other", "-"), None, "two of them");
        assert_eq!(sides("d =", "squared_difference"), Some(["y", "p"]));
        assert_eq!(sides("d =", "-"), None);
    }
}
