//! Text → syntax tree → the nodes that `grammars/program.scm` points at.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use finding::Range;
use streaming_iterator::StreamingIterator;
use tree_sitter::{
    Node, ParseOptions, ParseState, Parser, Query, QueryCursor, QueryCursorOptions, QueryCursorState,
    QueryError, Tree,
};

use crate::SyntaxError;

/// Larger texts are data, not scripts.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// Error recovery can take very long on texts that are not Python at all.
const PARSE_TIME: Duration = Duration::from_secs(2);

/// The same for texts that nest very deeply.
const QUERY_TIME: Duration = Duration::from_secs(1);

/// Beyond this many, more errors tell nobody anything.
const MAX_ERRORS: usize = 50;

/// What a node is for the reading of a script: the captures of `grammars/program.scm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Function,
    Class,
    Lambda,
    Comprehension,
    Block,
    Import,
    ImportFrom,
    Assign,
    AssignExpression,
    Change,
    Opaque,
    Global,
    Parameter,
    Call,
    Return,
    Error,
    Missing,
}

impl Role {
    fn of_capture(name: &str) -> Option<Role> {
        Some(match name {
            "scope.function" => Role::Function,
            "scope.class" => Role::Class,
            "scope.lambda" => Role::Lambda,
            "scope.comprehension" => Role::Comprehension,
            "block" => Role::Block,
            "import" => Role::Import,
            "import.from" => Role::ImportFrom,
            "assign" => Role::Assign,
            "assign.expression" => Role::AssignExpression,
            "change" => Role::Change,
            "opaque" => Role::Opaque,
            "global" => Role::Global,
            "parameter" => Role::Parameter,
            "call" => Role::Call,
            "return" => Role::Return,
            "error" => Role::Error,
            "missing" => Role::Missing,
            _ => return None,
        })
    }
}

struct Roles {
    query: Query,
    of_capture: Vec<Option<Role>>,
}

static ROLES: LazyLock<Result<Roles, QueryError>> = LazyLock::new(|| {
    let language = tree_sitter_python::LANGUAGE.into();
    let query = Query::new(&language, include_str!("../../../grammars/program.scm"))?;
    let of_capture = query
        .capture_names()
        .iter()
        .map(|name| Role::of_capture(name))
        .collect();
    Ok(Roles { query, of_capture })
});

/// The tree of a text; `None` when the text is too large or takes too long.
pub(crate) fn parse(text: &str) -> Option<Tree> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    let deadline = Instant::now() + PARSE_TIME;
    let mut in_time = |_: &ParseState| {
        if Instant::now() < deadline {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let bytes = text.as_bytes();
    parser.parse_with_options(
        &mut |offset, _| bytes.get(offset..).unwrap_or_default(),
        None,
        Some(ParseOptions::new().progress_callback(&mut in_time)),
    )
}

/// The nodes that matter, in document order, outer nodes first; `None` when finding them takes too long, which
/// happens on texts nested thousands of levels deep.
pub(crate) fn roles<'t>(root: Node<'t>, text: &str) -> Option<Vec<(Role, Node<'t>)>> {
    let roles = ROLES.as_ref().ok()?;
    let deadline = Instant::now() + QUERY_TIME;
    let in_time = Cell::new(true);
    let mut progress = |_: &QueryCursorState| {
        in_time.set(Instant::now() < deadline);
        if in_time.get() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    let options = QueryCursorOptions::new().progress_callback(&mut progress);
    let mut cursor = QueryCursor::new();
    let mut captures = cursor.captures_with_options(&roles.query, root, text.as_bytes(), options);
    let mut found = Vec::new();
    while let Some((matched, index)) = captures.next() {
        if let Some(capture) = matched.captures().get(*index)
            && let Some(Some(role)) = roles.of_capture.get(capture.index as usize)
        {
            found.push((*role, capture.node));
        }
    }
    if !in_time.get() {
        return None;
    }
    found.sort_by_key(|(_, node)| (node.start_byte(), usize::MAX - node.end_byte()));
    Some(found)
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
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .collect()
}

/// The expression inside any parentheses around it.
pub(crate) fn unparenthesised(mut node: Node<'_>) -> Node<'_> {
    while node.kind() == "parenthesized_expression" {
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
            Role::Missing => format!("`{}` is missing here", node.kind()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_compiles_and_every_capture_has_a_role() {
        let roles = ROLES.as_ref().expect("grammars/program.scm is a valid query");
        let nameless: Vec<_> = roles
            .query
            .capture_names()
            .iter()
            .filter(|name| !name.starts_with('_') && Role::of_capture(name).is_none())
            .collect();
        assert!(nameless.is_empty(), "captures without a role: {nameless:?}");
    }
}
