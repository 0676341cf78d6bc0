//! The nodes of a syntax tree that matter for reading a script: those that `grammars/program.scm` points at.
//!
//! One walk along the tree finds what the query finds at a tenth of its cost, which is more than that of all rules
//! together; a test holds the two together.

use std::sync::LazyLock;

use tree_sitter::{Node, Tree};

use crate::field;
use crate::syntax::slice;

/// What a node is for the reading of a script: the captures of `grammars/program.scm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    Error,
    Missing,
}

/// What a kind of node is by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    Nothing,
    Role(Role),
    /// That, when it has both sides.
    Assignment,
}

/// What a kind of node makes of the nodes in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Nothing,
    /// Its blocks may run never or several times.
    Blocks,
    /// The same, unless its condition asks for `__name__`.
    BlocksOfCondition,
    /// The same, and its left side is given values.
    BlocksOfLoop,
    /// Its named children, or that in the field, have the role.
    Children(Role, Option<u16>),
    /// The names in it have the role.
    Names(Role),
    /// The same of the name in its field.
    NameField(Role),
}

/// What there is to find in a kind of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Nothing.
    Leaf,
    /// Something where it is a string with expressions in it.
    Text,
    /// Expressions alone.
    Expressions,
    /// Statements as well.
    Statements,
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    own: Own,
    inside: Inside,
    content: Content,
}

impl Kind {
    const NOTHING: Kind = Kind {
        own: Own::Nothing,
        inside: Inside::Nothing,
        content: Content::Leaf,
    };

    fn of(kind: &str) -> Kind {
        let own = match kind {
            "function_definition" => Own::Role(Role::Function),
            "class_definition" => Own::Role(Role::Class),
            "lambda" => Own::Role(Role::Lambda),
            "list_comprehension"
            | "set_comprehension"
            | "dictionary_comprehension"
            | "generator_expression" => Own::Role(Role::Comprehension),
            "conditional_expression" | "boolean_operator" => Own::Role(Role::Block),
            "import_statement" => Own::Role(Role::Import),
            "import_from_statement" => Own::Role(Role::ImportFrom),
            "assignment" => Own::Assignment,
            "named_expression" => Own::Role(Role::AssignExpression),
            "call" => Own::Role(Role::Call),
            "ERROR" => Own::Role(Role::Error),
            _ => Own::Nothing,
        };
        let inside = match kind {
            "if_statement" => Inside::BlocksOfCondition,
            "for_statement" => Inside::BlocksOfLoop,
            "elif_clause" | "else_clause" | "while_statement" | "try_statement" | "except_clause"
            | "case_clause" => Inside::Blocks,
            "augmented_assignment" => Inside::Children(Role::Change, Some(field::LEFT)),
            "delete_statement" => Inside::Children(Role::Change, None),
            "for_in_clause" => Inside::Children(Role::Opaque, Some(field::LEFT)),
            "as_pattern_target" | "case_pattern" => Inside::Children(Role::Opaque, None),
            "global_statement" | "nonlocal_statement" => Inside::Names(Role::Global),
            "parameters"
            | "lambda_parameters"
            | "typed_parameter"
            | "list_splat_pattern"
            | "dictionary_splat_pattern" => Inside::Names(Role::Parameter),
            "default_parameter" | "typed_default_parameter" => Inside::NameField(Role::Parameter),
            _ => Inside::Nothing,
        };
        let content = match kind {
            "identifier"
            | "integer"
            | "float"
            | "true"
            | "false"
            | "none"
            | "comment"
            | "import_statement"
            | "import_from_statement"
            | "future_import_statement"
            | "pass_statement" => Content::Leaf,
            "string" => Content::Text,
            "module"
            | "block"
            | "function_definition"
            | "class_definition"
            | "decorated_definition"
            | "if_statement"
            | "elif_clause"
            | "else_clause"
            | "for_statement"
            | "while_statement"
            | "try_statement"
            | "except_clause"
            | "except_group_clause"
            | "finally_clause"
            | "with_statement"
            | "match_statement"
            | "case_clause"
            | "global_statement"
            | "nonlocal_statement" => Content::Statements,
            _ => Content::Expressions,
        };
        Kind { own, inside, content }
    }
}

struct Kinds {
    /// By number.
    kinds: Vec<Kind>,
    block: u16,
    identifier: u16,
}

static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    let language = tree_sitter::Language::from(tree_sitter_python::LANGUAGE);
    let count = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
    let kind = |number| match language.node_kind_for_id(number) {
        Some(name) if language.node_kind_is_named(number) => Kind::of(name),
        _ => Kind::NOTHING,
    };
    Kinds {
        kinds: (0..count).map(kind).collect(),
        block: language.id_for_node_kind("block", true),
        identifier: language.id_for_node_kind("identifier", true),
    }
});

/// The number that error nodes have in every grammar.
const ERROR: u16 = u16::MAX;

/// The nodes that matter, in document order, outer nodes first.
pub(crate) fn roles<'t>(tree: &'t Tree, text: &str) -> Vec<(Role, Node<'t>)> {
    walk(tree, text, Content::Leaf)
}

/// Those among them that are statements, and what does not parse.
pub(crate) fn statements<'t>(tree: &'t Tree, text: &str) -> Vec<(Role, Node<'t>)> {
    if tree.root_node().has_error() {
        roles(tree, text)
    } else {
        walk(tree, text, Content::Expressions)
    }
}

/// Looks into nodes that hold more than `uninteresting`.
fn walk<'t>(tree: &'t Tree, text: &str, uninteresting: Content) -> Vec<(Role, Node<'t>)> {
    let kinds = &*KINDS;
    let broken = tree.root_node().has_error();
    let uninteresting = uninteresting as u8;
    let mut found: Vec<(Role, Node<'t>)> = Vec::new();
    let mut cursor = tree.walk();
    // What the cursor stands in: to ask a node for its parent costs a way from the root.
    let mut above: Vec<(Node<'t>, Inside)> = Vec::new();
    loop {
        let node = cursor.node();
        let number = node.kind_id();
        let kind = match kinds.kinds.get(usize::from(number)) {
            Some(kind) => *kind,
            None if number == ERROR => Kind::of("ERROR"),
            None => Kind::NOTHING,
        };
        match kind.own {
            Own::Nothing => {}
            Own::Role(role) => found.push((role, node)),
            Own::Assignment => {
                if [field::LEFT, field::RIGHT]
                    .iter()
                    .all(|side| node.child_by_field_id(*side).is_some())
                {
                    found.push((Role::Assign, node));
                }
            }
        }
        if let Some((parent, inside)) = above.last() {
            let in_field = |field: u16| cursor.field_id().is_some_and(|id| id.get() == field);
            let role = match inside {
                Inside::Nothing => None,
                Inside::Blocks => (number == kinds.block).then_some(Role::Block),
                Inside::BlocksOfCondition => {
                    (number == kinds.block && !asks_for_name(*parent, text)).then_some(Role::Block)
                }
                Inside::BlocksOfLoop if number == kinds.block => Some(Role::Block),
                Inside::BlocksOfLoop => (node.is_named() && in_field(field::LEFT)).then_some(Role::Opaque),
                Inside::Children(role, field) => {
                    (node.is_named() && field.is_none_or(in_field)).then_some(*role)
                }
                Inside::Names(role) => (number == kinds.identifier).then_some(*role),
                Inside::NameField(role) => {
                    (number == kinds.identifier && in_field(field::NAME)).then_some(*role)
                }
            };
            found.extend(role.map(|role| (role, node)));
        }
        if broken && node.is_missing() {
            found.push((Role::Missing, node));
        }
        let content = match kind.content {
            Content::Text if formatted(node, text) => Content::Expressions,
            Content::Text => Content::Leaf,
            content => content,
        };
        let look = broken || content as u8 > uninteresting;
        if look && cursor.goto_first_child() {
            above.push((node, kind.inside));
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return found;
            }
            above.pop();
        }
    }
}

/// Whether a string may hold expressions.
fn formatted(string: Node<'_>, text: &str) -> bool {
    let letters = slice(string, text).bytes().take_while(u8::is_ascii_alphabetic);
    letters
        .into_iter()
        .any(|letter| letter.eq_ignore_ascii_case(&b'f'))
}

/// `if __name__ == "__main__":`, which is taken to run.
fn asks_for_name(statement: Node<'_>, text: &str) -> bool {
    statement
        .child_by_field_id(field::CONDITION)
        .is_some_and(|condition| slice(condition, text).contains("__name__"))
}

#[cfg(test)]
mod tests {
    use streaming_iterator::StreamingIterator;
    use tree_sitter::{Query, QueryCursor};

    use super::*;
    use crate::syntax::parse;

    fn role_of(capture: &str) -> Option<Role> {
        Some(match capture {
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
            "error" => Role::Error,
            "missing" => Role::Missing,
            _ => return None,
        })
    }

    fn by_query<'t>(tree: &'t Tree, text: &str) -> Vec<(Role, Node<'t>)> {
        let language = tree_sitter_python::LANGUAGE.into();
        let query = Query::new(&language, include_str!("../../../grammars/program.scm"))
            .expect("grammars/program.scm is a valid query");
        let mut cursor = QueryCursor::new();
        let mut captures = cursor.captures(&query, tree.root_node(), text.as_bytes());
        let mut found = Vec::new();
        while let Some((matched, index)) = captures.next() {
            let capture = matched.captures()[*index];
            let name = query.capture_names()[capture.index as usize];
            match role_of(name) {
                Some(role) => found.push((role, capture.node)),
                None => assert!(name.starts_with('_'), "`{name}` has no role"),
            }
        }
        found
    }

    fn places(roles: &[(Role, Node<'_>)]) -> Vec<(usize, usize, Role)> {
        let mut places: Vec<_> = roles
            .iter()
            .map(|(role, node)| (node.start_byte(), node.end_byte(), *role))
            .collect();
        places.sort();
        places
    }

    const EVERYTHING: &str = r#"
import a, b.c as d
from e import (f, g as h)
from i import *
def j(k, l: int, m=1, n: str = "", *o, p, **q):
    global r, s
    def t():
        nonlocal k
    return lambda u, v=1, *w: u
class X(Y):
    z = [a for a, b in c if d]
    @property
    def y(self): return {k: v for k, v in d} | {e for e in f} | set(g for g in h)
if __name__ == "__main__":
    a = b = 1
elif c:
    d, *e = f
else:
    g += 1; h[0] -= 2
for i, (j, k) in l:
    del m, n[0], o.p
else:
    pass
while (q := r(s)):
    try:
        t(u)(v)
    except W as x:
        pass
    finally:
        y = z if a and b else c
with d as e, f() as (g, h):
    match i:
        case [j, K(l=m)] if n:
            o: int = 1
            p: str
"#;

    #[test]
    fn the_walk_finds_what_the_query_points_at() {
        let broken = "f(a\nx = (1,\ndef g(:\n  y = [\nclass\nfor in b: c(d\n";
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/precision");
        let scripts = std::fs::read_dir(fixtures).expect("fixtures");
        let scripts =
            scripts.filter_map(|script| std::fs::read_to_string(script.expect("entry").path()).ok());
        for text in [EVERYTHING.to_owned(), broken.to_owned()]
            .into_iter()
            .chain(scripts)
        {
            let tree = parse(&text, None).expect("a tree");
            assert_eq!(
                places(&roles(&tree, &text)),
                places(&by_query(&tree, &text)),
                "{text}"
            );
        }
        let tree = parse(EVERYTHING, None).expect("a tree");
        assert!(!tree.root_node().has_error(), "{}", tree.root_node().to_sexp());
    }

    #[test]
    fn outer_nodes_come_first() {
        let tree = parse(EVERYTHING, None).expect("a tree");
        let order: Vec<_> = roles(&tree, EVERYTHING)
            .iter()
            .map(|(_, node)| (node.start_byte(), usize::MAX - node.end_byte()))
            .collect();
        assert!(order.is_sorted());
    }
}
