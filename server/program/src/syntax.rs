//! Text → syntax tree, and what is asked of its nodes.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use finding::Range;
use tree_sitter::{InputEdit, Language, Node, ParseOptions, ParseState, Parser, Point, Tree};

use crate::SyntaxError;
use crate::roles::Role;

/// Larger texts are data, not scripts.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// Error recovery can take very long on texts that are not Python at all.
const PARSE_TIME: Duration = Duration::from_secs(2);

thread_local! {
    /// One per thread: it keeps the memory it worked with.
    static PARSER: RefCell<Parser> = RefCell::new(parser());
}

fn parser() -> Parser {
    let mut parser = Parser::new();
    // Fails only for a grammar that is newer than the library; without a language nothing is parsed.
    let _ = parser.set_language(&LANGUAGE);
    parser
}

/// Beyond this many, more errors tell nobody anything.
const MAX_ERRORS: usize = 50;

/// The tree of a text; `None` when the text is too large or takes too long. `before` is the tree of an earlier
/// version of the text, with the edit that leads here made known to it.
pub(crate) fn parse(text: &str, before: Option<&Tree>) -> Option<Tree> {
    if text.len() > MAX_BYTES {
        return None;
    }
    PARSER.with_borrow_mut(|parser| {
        let deadline = Instant::now() + PARSE_TIME;
        let mut in_time = |_: &ParseState| {
            if Instant::now() < deadline {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let bytes = text.as_bytes();
        let tree = parser.parse_with_options(
            &mut |offset, _| bytes.get(offset..).unwrap_or_default(),
            before,
            Some(ParseOptions::new().progress_callback(&mut in_time)),
        );
        if tree.is_none() {
            // It would go on with this text next time.
            parser.reset();
        }
        tree
    })
}

/// The same by way of the tree of an earlier text; `None` when there is an error in it. Behind an error the tree depends
/// on the way by which it came about, and what is said of a text must depend on that text alone.
pub(crate) fn parse_again(tree: &Tree, before: &str, text: &str) -> Option<Tree> {
    let mut tree = tree.clone();
    tree.edit(&edit(before, text));
    parse(text, Some(&tree)).filter(|tree| !tree.root_node().has_error())
}

/// The smallest edit that makes one text of another, widened to whole characters.
fn edit(before: &str, text: &str) -> InputEdit {
    let (old, new) = (before.as_bytes(), text.as_bytes());
    let mut start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    while !(before.is_char_boundary(start) && text.is_char_boundary(start)) {
        start -= 1;
    }
    let longest = old.len().min(new.len()) - start;
    let same = old.iter().rev().zip(new.iter().rev()).take(longest);
    let mut end = same.take_while(|(a, b)| a == b).count();
    while !(before.is_char_boundary(old.len() - end) && text.is_char_boundary(new.len() - end)) {
        end -= 1;
    }
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    InputEdit {
        start_byte: start,
        old_end_byte: old_end,
        new_end_byte: new_end,
        start_position: point(old, start),
        old_end_position: point(old, old_end),
        new_end_position: point(new, new_end),
    }
}

/// Line and column in bytes.
fn point(text: &[u8], at: usize) -> Point {
    let before = text.get(..at).unwrap_or_default();
    let row = before.iter().filter(|byte| **byte == b'\n').count();
    let line = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    Point::new(row, at - line)
}

static LANGUAGE: LazyLock<Language> = LazyLock::new(|| tree_sitter_python::LANGUAGE.into());

static KIND_NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let count = u16::try_from(LANGUAGE.node_kind_count()).unwrap_or(u16::MAX);
    let name = |kind| LANGUAGE.node_kind_for_id(kind).unwrap_or_default();
    (0..count).map(name).collect()
});

/// The kind of a node by name.
pub(crate) trait KindName {
    /// What `Node::kind` says; that measures and checks the name each time.
    fn kind_name(&self) -> &'static str;
}

impl KindName for Node<'_> {
    fn kind_name(&self) -> &'static str {
        KIND_NAMES
            .get(usize::from(self.kind_id()))
            .copied()
            .unwrap_or("ERROR")
    }
}

/// The bytes a node covers.
pub(crate) fn range(node: Node<'_>) -> Range {
    Range::new(node.start_byte(), node.end_byte())
}

/// The text a node covers.
pub(crate) fn slice<'a>(node: Node<'_>, text: &'a str) -> &'a str {
    range(node).slice(text)
}

/// The named children of a node in order, comments left out.
pub(crate) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    // To make a cursor costs more than to count through a few.
    const FEW: usize = 8;
    let is_comment = |node: &Node<'_>| node.kind_name() == "comment";
    let count = node.named_child_count();
    if count <= FEW {
        let number = |number| u32::try_from(number).ok();
        let child = |at| node.named_child(number(at)?);
        return (0..count)
            .filter_map(child)
            .filter(|child| !is_comment(child))
            .collect();
    }
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| !is_comment(child))
        .collect()
}

/// The expression inside any parentheses around it.
pub(crate) fn unparenthesised(mut node: Node<'_>) -> Node<'_> {
    while node.kind_name() == "parenthesized_expression" {
        match children(node).first() {
            Some(inner) => node = *inner,
            None => break,
        }
    }
    node
}

/// What does not parse, for a person.
pub(crate) fn errors(roles: &[(Role, Node<'_>)], text: &str) -> Vec<SyntaxError> {
    let mut errors: Vec<SyntaxError> = Vec::new();
    for (role, node) in roles {
        let range = range(*node);
        // An error inside an error is the same mistake.
        if errors.last().is_some_and(|last| last.range.contains(range)) {
            continue;
        }
        let message = match role {
            Role::Missing => format!("`{}` is missing here", node.kind_name()),
            Role::Error => describe(range, text),
            _ => continue,
        };
        errors.push(SyntaxError {
            range: first_line(range, text),
            message,
        });
        if errors.len() == MAX_ERRORS {
            break;
        }
    }
    errors
}

fn describe(range: Range, text: &str) -> String {
    const SHOWN: usize = 30;
    let line = first_line(range, text).slice(text).trim();
    if line.is_empty() {
        return "this is not valid Python".to_owned();
    }
    let shown: String = line.chars().take(SHOWN).collect();
    let dots = if shown.len() < line.len() { "…" } else { "" };
    match line.chars().next() {
        Some('(' | '[' | '{') => {
            format!("this bracket is never closed, or what it holds is not valid Python: `{shown}{dots}`")
        }
        _ => format!("`{shown}{dots}` is not valid Python here"),
    }
}

/// The part of a range on its first line: errors may span the rest of a file.
fn first_line(range: Range, text: &str) -> Range {
    let slice = range.slice(text);
    let length = slice.find(['\n', '\r']).unwrap_or(slice.len());
    if length == 0 {
        range
    } else {
        Range::new(range.start, range.start + length)
    }
}

/// A dotted name without the blanks and line breaks Python allows in it.
pub(crate) fn dotted(node: Node<'_>, text: &str) -> String {
    slice(node, text).split_whitespace().collect()
}
