//! Syntax tree → statements and expressions.

use tree_sitter::Node;

use super::{Applied, Function, Statement, StatementKind, Term, TermKind};
use crate::field;
use crate::names::{canonical, path};
use crate::scope::{Place, Scopes};
use crate::syntax::{KindName, children, range, slice, unparenthesised};

/// Deeper nesting was not written by hand.
const DEEPEST: usize = 150;

pub(super) struct Reader<'s, 'a, 't> {
    scopes: &'s Scopes<'a, 't>,
    text: &'a str,
}

impl<'s, 'a, 't> Reader<'s, 'a, 't> {
    pub(super) fn new(scopes: &'s Scopes<'a, 't>, text: &'a str) -> Self {
        Reader { scopes, text }
    }

    /// The statements of a block.
    pub(super) fn block(&self, node: Node<'t>) -> Vec<Statement> {
        self.statements(node, 0)
    }

    fn statements(&self, node: Node<'t>, depth: usize) -> Vec<Statement> {
        if depth > DEEPEST {
            return Vec::new();
        }
        children(node)
            .into_iter()
            .map(|child| self.statement(child, depth + 1))
            .collect()
    }

    fn body(&self, node: Node<'t>, field: u16, depth: usize) -> Vec<Statement> {
        node.child_by_field_id(field)
            .map_or_else(Vec::new, |body| self.statements(body, depth))
    }

    fn statement(&self, node: Node<'t>, depth: usize) -> Statement {
        let kind = self.statement_kind(node, depth).unwrap_or_else(|| {
            // `try`, `match`, …: what stands in their blocks.
            let blocks = children(node)
                .into_iter()
                .flat_map(|child| match child.kind_name() {
                    "block" => self.statements(child, depth),
                    kind if kind.ends_with("_clause") => vec![self.statement(child, depth + 1)],
                    _ => Vec::new(),
                });
            StatementKind::Other(if depth > DEEPEST {
                Vec::new()
            } else {
                blocks.collect()
            })
        });
        Statement {
            range: range(node),
            kind,
        }
    }

    fn statement_kind(&self, node: Node<'t>, depth: usize) -> Option<StatementKind> {
        let part = |field| {
            node.child_by_field_id(field)
                .map(|part| self.term(part, depth + 1))
        };
        Some(match node.kind_name() {
            "expression_statement" => {
                let parts = children(node);
                let [only] = parts.as_slice() else {
                    let terms = parts.into_iter().map(|part| self.term(part, depth + 1));
                    return Some(StatementKind::Expression(Term {
                        range: range(node),
                        kind: TermKind::List(terms.collect()),
                    }));
                };
                match only.kind_name() {
                    "assignment" | "augmented_assignment" => self.assignment(*only, depth)?,
                    _ => StatementKind::Expression(self.term(*only, depth + 1)),
                }
            }
            "return_statement" => {
                let value = children(node).first().map(|value| self.term(*value, depth + 1));
                StatementKind::Return(value)
            }
            "for_statement" => StatementKind::For(
                part(field::LEFT)?,
                part(field::RIGHT)?,
                self.body(node, field::BODY, depth),
            ),
            "while_statement" => {
                StatementKind::While(part(field::CONDITION)?, self.body(node, field::BODY, depth))
            }
            "if_statement" => {
                let clauses: Vec<_> = children(node)
                    .into_iter()
                    .filter(|child| child.kind_name().ends_with("_clause"))
                    .collect();
                StatementKind::If(
                    part(field::CONDITION)?,
                    self.body(node, field::CONSEQUENCE, depth),
                    self.clauses(&clauses, depth),
                )
            }
            "with_statement" => {
                let clause = children(node)
                    .into_iter()
                    .find(|child| child.kind_name() == "with_clause")?;
                let items = children(clause)
                    .into_iter()
                    .filter_map(|item| self.item(item.child_by_field_id(field::VALUE)?, depth));
                StatementKind::With(items.collect(), self.body(node, field::BODY, depth))
            }
            "function_definition" => StatementKind::Function(self.function(node, Vec::new(), depth)?),
            "class_definition" => {
                let bases = node.child_by_field_id(field::SUPERCLASSES);
                let bases = bases.map_or_else(Vec::new, children).into_iter();
                StatementKind::Class(
                    self.name(node)?,
                    bases.map(|base| self.term(base, depth + 1)).collect(),
                    self.body(node, field::BODY, depth),
                )
            }
            "decorated_definition" => {
                let definition = node.child_by_field_id(field::DEFINITION)?;
                if definition.kind_name() != "function_definition" {
                    return self.statement_kind(definition, depth + 1);
                }
                let decorators = children(node)
                    .into_iter()
                    .filter(|child| child.kind_name() == "decorator")
                    .filter_map(|decorator| Some(self.term(*children(decorator).first()?, depth + 1)));
                StatementKind::Function(self.function(definition, decorators.collect(), depth)?)
            }
            _ => return None,
        })
    }

    /// The `elif` and `else` clauses of an `if`, as `if`s inside one another.
    fn clauses(&self, clauses: &[Node<'t>], depth: usize) -> Vec<Statement> {
        let Some((first, rest)) = clauses.split_first().filter(|_| depth <= DEEPEST) else {
            return Vec::new();
        };
        if first.kind_name() == "else_clause" {
            return self.body(*first, field::BODY, depth);
        }
        let Some(condition) = first.child_by_field_id(field::CONDITION) else {
            return Vec::new();
        };
        vec![Statement {
            range: range(*first),
            kind: StatementKind::If(
                self.term(condition, depth + 1),
                self.body(*first, field::CONSEQUENCE, depth),
                self.clauses(rest, depth + 1),
            ),
        }]
    }

    fn item(&self, value: Node<'t>, depth: usize) -> Option<(Term, Option<Term>)> {
        if value.kind_name() != "as_pattern" {
            return Some((self.term(value, depth + 1), None));
        }
        let parts = children(value);
        let name = parts.get(1).and_then(|target| children(*target).first().copied());
        Some((
            self.term(*parts.first()?, depth + 1),
            name.map(|name| self.term(name, depth + 1)),
        ))
    }

    fn name(&self, node: Node<'t>) -> Option<String> {
        Some(slice(node.child_by_field_id(field::NAME)?, self.text).to_owned())
    }

    fn function(&self, node: Node<'t>, decorators: Vec<Term>, depth: usize) -> Option<Function> {
        let parameters = node.child_by_field_id(field::PARAMETERS).map(children);
        Some(Function {
            name: self.name(node)?,
            parameters: self.parameters(parameters.unwrap_or_default(), depth),
            decorators,
            body: self.body(node, field::BODY, depth),
        })
    }

    fn parameters(&self, nodes: Vec<Node<'t>>, depth: usize) -> Vec<(String, Option<Term>)> {
        let parameter = |node: Node<'t>| match node.kind_name() {
            "identifier" => Some((slice(node, self.text).to_owned(), None)),
            "typed_parameter" => {
                let name = children(node).into_iter().next()?;
                (name.kind_name() == "identifier").then(|| (slice(name, self.text).to_owned(), None))
            }
            "default_parameter" | "typed_default_parameter" => {
                let default = node.child_by_field_id(field::VALUE)?;
                Some((self.name(node)?, Some(self.term(default, depth + 1))))
            }
            _ => None,
        };
        nodes.into_iter().filter_map(parameter).collect()
    }

    fn assignment(&self, node: Node<'t>, depth: usize) -> Option<StatementKind> {
        let operator = node
            .child_by_field_id(field::OPERATOR)
            .filter(|_| node.kind_name() == "augmented_assignment")
            .map(|operator| symbol(slice(operator, self.text).trim_end_matches('=')));
        Some(StatementKind::Assign {
            target: self.term(node.child_by_field_id(field::LEFT)?, depth + 1),
            value: self.term(node.child_by_field_id(field::RIGHT)?, depth + 1),
            operator,
        })
    }

    fn terms(&self, nodes: Vec<Node<'t>>, depth: usize) -> Vec<Term> {
        nodes.into_iter().map(|node| self.term(node, depth + 1)).collect()
    }

    fn term(&self, node: Node<'t>, depth: usize) -> Term {
        let node = unparenthesised(node);
        let kind = if depth > DEEPEST {
            TermKind::Other(Vec::new())
        } else {
            self.term_kind(node, depth)
                .unwrap_or_else(|| TermKind::Other(self.terms(children(node), depth)))
        };
        Term {
            range: range(node),
            kind,
        }
    }

    fn term_kind(&self, node: Node<'t>, depth: usize) -> Option<TermKind> {
        let part = |field| {
            let part = node.child_by_field_id(field)?;
            Some(Box::new(self.term(part, depth + 1)))
        };
        let written = slice(node, self.text);
        let sign = || {
            node.child_by_field_id(field::OPERATOR)
                .map(|operator| symbol(slice(operator, self.text)))
        };
        Some(match node.kind_name() {
            "identifier" => TermKind::Name(written.to_owned()),
            "true" => TermKind::Bool(true),
            "false" => TermKind::Bool(false),
            "integer" | "float" => TermKind::Number(written.replace('_', "").parse().ok()?),
            "string" => {
                let inner = written.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
                TermKind::Text(inner.trim_matches(['"', '\'']).to_owned())
            }
            "attribute" => TermKind::Attribute(
                part(field::OBJECT)?,
                slice(node.child_by_field_id(field::ATTRIBUTE)?, self.text).to_owned(),
            ),
            "subscript" => {
                let value = node.child_by_field_id(field::VALUE)?;
                let index = children(node).into_iter().filter(|child| *child != value);
                TermKind::Subscript(part(field::VALUE)?, self.terms(index.collect(), depth))
            }
            "call" => self.call(node, depth)?,
            "binary_operator" | "boolean_operator" => {
                TermKind::Binary(sign()?, part(field::LEFT)?, part(field::RIGHT)?)
            }
            "unary_operator" => TermKind::Unary(sign()?, part(field::ARGUMENT)?),
            "not_operator" => TermKind::Unary("not", part(field::ARGUMENT)?),
            "comparison_operator" => {
                let operator = (0..node.child_count())
                    .filter_map(|at| node.child(at))
                    .find(|child| !child.is_named() || !symbol(slice(*child, self.text)).is_empty())?;
                TermKind::Compare(
                    symbol(slice(operator, self.text)),
                    self.terms(children(node), depth),
                )
            }
            "list" | "tuple" | "expression_list" | "pattern_list" | "tuple_pattern" | "list_pattern" => {
                TermKind::List(self.terms(children(node), depth))
            }
            "dictionary" => {
                let pair = |pair: Node<'t>| {
                    let key = pair.child_by_field_id(field::KEY)?;
                    let value = pair.child_by_field_id(field::VALUE)?;
                    Some((self.term(key, depth + 1), self.term(value, depth + 1)))
                };
                TermKind::Dict(children(node).into_iter().map(pair).collect::<Option<_>>()?)
            }
            "conditional_expression" => {
                let parts = self.terms(children(node), depth);
                TermKind::Choice(Box::new(parts.try_into().ok()?))
            }
            "lambda" => {
                let parameters = node.child_by_field_id(field::PARAMETERS).map(children);
                let parameters = self.parameters(parameters.unwrap_or_default(), depth);
                TermKind::Lambda(
                    parameters.into_iter().map(|(name, _)| name).collect(),
                    part(field::BODY)?,
                )
            }
            _ => return None,
        })
    }

    fn call(&self, node: Node<'t>, depth: usize) -> Option<TermKind> {
        let function = node.child_by_field_id(field::FUNCTION)?;
        let arguments = node.child_by_field_id(field::ARGUMENTS)?;
        // `f(x for x in …)` has no argument list.
        let nodes = if arguments.kind_name() == "argument_list" {
            children(arguments)
        } else {
            vec![arguments]
        };
        let argument = |argument: Node<'t>| {
            if argument.kind_name() != "keyword_argument" {
                return Some((None, self.term(argument, depth + 1)));
            }
            let value = argument.child_by_field_id(field::VALUE)?;
            Some((Some(self.name(argument)?), self.term(value, depth + 1)))
        };
        let place = Place {
            scope: self.scopes.scope_at(node.start_byte()),
            block: 0,
        };
        let named = matches!(function.kind_name(), "identifier" | "attribute");
        let path = named
            .then(|| path(self.scopes, self.text, function, place))
            .flatten();
        Some(TermKind::Call(Applied {
            path: path.map(|path| canonical(&path).unwrap_or(path)),
            function: Box::new(self.term(function, depth + 1)),
            arguments: nodes.into_iter().filter_map(argument).collect(),
        }))
    }
}

/// An operator as a static string; empty for what is none.
fn symbol(written: &str) -> &'static str {
    const SYMBOLS: [&str; 30] = [
        "+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>", "and", "or", "not", "~", "<",
        "<=", ">", ">=", "==", "!=", "in", "is", "not in", "is not", "<>", ":=", ",",
    ];
    SYMBOLS
        .into_iter()
        .find(|symbol| *symbol == written)
        .unwrap_or_default()
}
