//! The statements of a script as plain values, for rules that ask what a computation does (a loss, the making of pairs)
//! and not only which calls of Keras there are.

mod read;
mod visit;

use finding::Range;

pub use visit::{own_statements, statements};

use crate::Program;
use crate::roles::roles;
use crate::scope::Scopes;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Where it stands, without parentheses around it.
    pub range: Range,
    /// What it is.
    pub kind: TermKind,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum TermKind {
    /// A variable.
    Name(String),
    /// A number that is written out.
    Number(f64),
    /// A string that is written out.
    Text(String),
    /// `True` or `False`.
    Bool(bool),
    /// `object.name`.
    Attribute(Box<Term>, String),
    /// `object[…]`.
    Subscript(Box<Term>, Vec<Term>),
    /// A call.
    Call(Applied),
    /// `left + right`, `and` and `or` among them.
    Binary(&'static str, Box<Term>, Box<Term>),
    /// `-x`, `~x`, `not x`.
    Unary(&'static str, Box<Term>),
    /// `a < b`, with its first operator.
    Compare(&'static str, Vec<Term>),
    /// A list or a tuple.
    List(Vec<Term>),
    /// A dict whose items are all written out.
    Dict(Vec<(Term, Term)>),
    /// `value if condition else other`: value, condition, other.
    Choice(Box<[Term; 3]>),
    /// `lambda parameters: body`.
    Lambda(Vec<String>, Box<Term>),
    /// Anything else, with the expressions in it.
    Other(Vec<Term>),
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The dotted name of what is called, as imported (`tensorflow.reduce_mean`, `numpy.where`); that of Keras where it is
    /// Keras'. `None` for what is not imported.
    pub path: Option<String>,
    /// What is called.
    pub function: Box<Term>,
    /// The arguments in order, with their keywords.
    pub arguments: Vec<(Option<String>, Term)>,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Where it stands.
    pub range: Range,
    /// What it is.
    pub kind: StatementKind,
}

impl Statement {
    /// What a plain assignment gives this name.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<&Term> {
        match &self.kind {
            StatementKind::Assign {
                target,
                value,
                operator: None,
            } if target.name() == Some(name) => Some(value),
            _ => None,
        }
    }
}

/// What a statement is.
#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `target = value`, or `target += value` with the operator.
    Assign {
        /// What is assigned to.
        target: Term,
        /// The right side.
        value: Term,
        /// `+` of `+=`.
        operator: Option<&'static str>,
    },
    /// An expression on its own.
    Expression(Term),
    /// `return value`.
    Return(Option<Term>),
    /// `for target in items`.
    For(Term, Term, Vec<Statement>),
    /// `while condition`.
    While(Term, Vec<Statement>),
    /// `if condition`, with what stands under it and what stands under `else` (an `elif` is an `if` in there).
    If(Term, Vec<Statement>, Vec<Statement>),
    /// `with items`: each item with the name it is given.
    With(Vec<(Term, Option<Term>)>, Vec<Statement>),
    /// A function.
    Function(Function),
    /// A class: its name, its bases, what stands in it.
    Class(String, Vec<Term>, Vec<Statement>),
    /// Anything else, with the statements in it.
    Other(Vec<Statement>),
}

/// A function.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The names of its parameters in order, with their defaults.
    pub parameters: Vec<(String, Option<Term>)>,
    /// Its decorators.
    pub decorators: Vec<Term>,
    /// Its statements.
    pub body: Vec<Statement>,
}

impl Program {
    /// The statements of the script; none where it does not parse. `text` is the text this program was parsed from.
    pub fn code(&self, text: &str) -> Vec<Statement> {
        let Some(tree) = self.tree.as_ref().filter(|_| self.syntax_errors.is_empty()) else {
            return Vec::new();
        };
        let roles = roles(tree, text);
        let scopes = Scopes::new(&roles, text);
        read::Reader::new(&scopes, text).block(tree.root_node())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_and_expressions_are_read() {
        let text = "import tensorflow as tf\n@tf.function\ndef f(a, b=2, *, c: int = 3):\n    a += tf.reduce_sum(b, axis=-1)\n    \
                    if not a > 1:\n        return -a\n    elif b:\n        pass\n    else:\n        return (a if b else c)[0, 1:]\n\
                    class C(tf.keras.Model):\n    def g(self):\n        with tf.GradientTape() as tape:\n            x, y = self.h(1), {'a': 2.5}\n";
        let code = Program::parse(text).code(text);
        let [_, f, c] = code.as_slice() else {
            panic!("{code:#?}")
        };
        let StatementKind::Function(f) = &f.kind else {
            panic!("{f:#?}")
        };
        let names: Vec<_> = f
            .parameters
            .iter()
            .map(|(name, default)| (name.as_str(), default.is_some()))
            .collect();
        assert_eq!(names, [("a", false), ("b", true), ("c", true)]);
        assert_eq!(f.decorators.len(), 1);
        let StatementKind::Assign {
            operator: Some("+"),
            value,
            ..
        } = &f.body[0].kind
        else {
            panic!("{f:#?}")
        };
        let TermKind::Call(call) = &value.kind else {
            panic!("{value:#?}")
        };
        assert_eq!(call.path.as_deref(), Some("tensorflow.reduce_sum"));
        assert_eq!(call.arguments[1].0.as_deref(), Some("axis"));
        let StatementKind::If(_, then, other) = &f.body[1].kind else {
            panic!("{f:#?}")
        };
        assert!(matches!(then[0].kind, StatementKind::Return(Some(_))));
        let StatementKind::If(_, _, last) = &other[0].kind else {
            panic!("{other:#?}")
        };
        assert!(matches!(
            &last[0].kind,
            StatementKind::Return(Some(Term { kind: TermKind::Subscript(_, index), .. })) if index.len() == 2
        ));
        let StatementKind::Class(name, bases, body) = &c.kind else {
            panic!("{c:#?}")
        };
        assert_eq!((name.as_str(), bases.len()), ("C", 1));
        let StatementKind::Function(g) = &body[0].kind else {
            panic!("{body:#?}")
        };
        let StatementKind::With(items, inside) = &g.body[0].kind else {
            panic!("{g:#?}")
        };
        assert!(items[0].1.is_some());
        assert!(
            matches!(&inside[0].kind, StatementKind::Assign { target: Term { kind: TermKind::List(names), .. }, .. } if names.len() == 2)
        );
    }
}
