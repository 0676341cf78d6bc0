//! The code of a script as a tree, for rules about code that no model is made of: classes that give batches, loops that
//! update weights, calls that shuffle arrays.

use finding::Range;

use crate::Program;
use crate::field;
use crate::names::{canonical, path};
use crate::roles::roles;
use crate::scope::{Place, Scopes};
use crate::syntax::{self, KindName, slice};

/// The tree of a script, with what its names stand for.
pub struct Code<'a> {
    text: &'a str,
    root: tree_sitter::Node<'a>,
    scopes: Scopes<'a, 'a>,
}

/// A part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node<'a> {
    inner: tree_sitter::Node<'a>,
    text: &'a str,
}

/// What a definition, an assignment or an expression consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// What is called.
    Function,
    /// The object whose attribute is asked for.
    Object,
    /// The name of an attribute.
    Attribute,
    /// The target of an assignment, the variable of a loop, the first operand.
    Left,
    /// The value of an assignment, what a loop goes through, the second operand.
    Right,
    /// The name of a function, class or keyword.
    Name,
    /// The value of a keyword, what an index is applied to.
    Value,
    /// The index.
    Subscript,
    /// The statements of a function, class or loop.
    Body,
    /// The parameters of a function.
    Parameters,
    /// The classes that a class derives from.
    Superclasses,
    /// The sign between two operands.
    Operator,
}

impl Program {
    /// The tree of a script without syntax errors. `text` is the text this program was parsed from.
    pub fn tree<'a>(&'a self, text: &'a str) -> Option<Code<'a>> {
        let tree = self.tree.as_ref().filter(|_| self.syntax_errors.is_empty())?;
        Some(Code {
            text,
            root: tree.root_node(),
            scopes: Scopes::new(&roles(tree, text), text),
        })
    }
}

impl<'a> Code<'a> {
    /// The whole script.
    pub fn root(&self) -> Node<'a> {
        Node {
            inner: self.root,
            text: self.text,
        }
    }

    /// The smallest part that covers a range.
    pub fn at(&self, range: Range) -> Option<Node<'a>> {
        let inner = self
            .root
            .named_descendant_for_byte_range(range.start, range.end)?;
        Some(Node {
            inner,
            text: self.text,
        })
    }

    /// The dotted name that an expression stands for as imported (`numpy.random.shuffle`); of something of Keras, its
    /// canonical name.
    pub fn path(&self, node: Node<'a>) -> Option<String> {
        let path = path(&self.scopes, self.text, node.inner, self.place(node))?;
        Some(canonical(&path).unwrap_or(path))
    }

    /// The dotted name of what is called, where the node is a call.
    pub fn callee(&self, node: Node<'a>) -> Option<String> {
        self.path(node.is("call").then(|| node.field(Field::Function))??)
    }

    /// The one expression that a name stands for; the node itself where it is no name.
    pub fn value(&self, node: Node<'a>) -> Option<Node<'a>> {
        const LONGEST: usize = 8;
        let mut node = node.bare();
        let mut scope = self.scopes.scope_at(node.inner.start_byte());
        for _ in 0..LONGEST {
            if !node.is("identifier") {
                return Some(node);
            }
            // Whether the assignment has run is not asked for: a name that is assigned once has no other value.
            let (found, bindings) = self.scopes.lookup(node.text(), scope)?;
            let [binding] = bindings else { return None };
            let crate::scope::Bound::Value(value) = binding.bound else {
                return None;
            };
            scope = found;
            node = Node {
                inner: value,
                text: self.text,
            }
            .bare();
        }
        None
    }

    /// The number that an expression stands for.
    pub fn number(&self, node: Node<'a>) -> Option<f64> {
        let node = self.value(node)?;
        match node.kind() {
            "integer" | "float" => node.text().replace('_', "").parse().ok(),
            "unary_operator" => {
                let number: f64 = node.text().strip_prefix('-')?.trim().parse().ok()?;
                Some(-number)
            }
            _ => None,
        }
    }

    /// The function of the file that a name stands for.
    pub fn function(&self, name: Node<'a>) -> Option<Node<'a>> {
        let scope = self.scopes.scope_at(name.inner.start_byte());
        let (_, bindings) = self.scopes.lookup(name.text(), scope)?;
        let [binding] = bindings else { return None };
        let mut node = self
            .root
            .named_descendant_for_byte_range(binding.at, binding.at)?;
        while node.kind_name() != "function_definition" {
            node = node.parent().filter(|parent| parent.start_byte() == binding.at)?;
        }
        Some(Node {
            inner: node,
            text: self.text,
        })
    }

    fn place(&self, node: Node<'a>) -> Place {
        Place {
            scope: self.scopes.scope_at(node.inner.start_byte()),
            // Aliases count where nothing is needed for them to be made.
            block: 0,
        }
    }
}

impl<'a> Node<'a> {
    /// Its kind in the grammar (`call`, `for_statement`, …).
    pub fn kind(&self) -> &'static str {
        self.inner.kind_name()
    }

    /// Whether it is of a kind.
    pub fn is(&self, kind: &str) -> bool {
        self.kind() == kind
    }

    /// What is written.
    pub fn text(&self) -> &'a str {
        slice(self.inner, self.text)
    }

    /// Where.
    pub fn range(&self) -> Range {
        syntax::range(self.inner)
    }

    /// One of its parts.
    pub fn field(&self, field: Field) -> Option<Node<'a>> {
        let number = match field {
            Field::Function => field::FUNCTION,
            Field::Object => field::OBJECT,
            Field::Attribute => field::ATTRIBUTE,
            Field::Left => field::LEFT,
            Field::Right => field::RIGHT,
            Field::Name => field::NAME,
            Field::Value => field::VALUE,
            Field::Subscript => field::SUBSCRIPT,
            Field::Body => field::BODY,
            Field::Parameters => field::PARAMETERS,
            Field::Superclasses => field::SUPERCLASSES,
            Field::Operator => field::OPERATOR,
        };
        self.inner.child_by_field_id(number).map(|inner| self.of(inner))
    }

    /// All of its parts in order, comments left out.
    pub fn children(&self) -> Vec<Node<'a>> {
        let children = syntax::children(self.inner).into_iter();
        children.map(|inner| self.of(inner)).collect()
    }

    /// What it is a part of.
    pub fn parent(&self) -> Option<Node<'a>> {
        self.inner.parent().map(|inner| self.of(inner))
    }

    /// What it is a part of, the nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Node<'a>> {
        std::iter::successors(self.parent(), Node::parent)
    }

    /// The expression inside any parentheses around it.
    pub fn bare(&self) -> Node<'a> {
        self.of(syntax::unparenthesised(self.inner))
    }

    /// The nodes of some kinds in it, itself included, in source order.
    pub fn all(&self, kinds: &[&str]) -> Vec<Node<'a>> {
        let mut found = Vec::new();
        let mut cursor = self.inner.walk();
        loop {
            let node = cursor.node();
            if node.is_named() && kinds.contains(&node.kind_name()) {
                found.push(self.of(node));
            }
            if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return found;
                }
            }
        }
    }

    /// Whether a name is used in it.
    pub fn mentions(&self, name: &str) -> bool {
        self.text().contains(name) && self.all(&["identifier"]).iter().any(|node| node.text() == name)
    }

    /// Whether it covers another node.
    pub fn contains(&self, other: Node<'a>) -> bool {
        self.range().contains(other.range())
    }

    /// The nearest of its ancestors that is of one of some kinds.
    pub fn within(&self, kinds: &[&str]) -> Option<Node<'a>> {
        self.ancestors().find(|outer| kinds.contains(&outer.kind()))
    }

    /// The function it is in; `None` outside any.
    pub fn function(&self) -> Option<Node<'a>> {
        self.within(&["function_definition", "lambda"])
    }

    /// The statement it belongs to.
    pub fn statement(&self) -> Node<'a> {
        let is_block = |node: &Node<'_>| matches!(node.kind(), "block" | "module");
        std::iter::once(*self)
            .chain(self.ancestors())
            .find(|node| node.parent().is_none_or(|parent| is_block(&parent)))
            .unwrap_or(*self)
    }

    /// The arguments of a call: the keyword, and the value.
    pub fn arguments(&self) -> Vec<(Option<&'a str>, Node<'a>)> {
        let Some(list) = self.inner.child_by_field_id(field::ARGUMENTS) else {
            return Vec::new();
        };
        let argument = |node: Node<'a>| {
            if node.is("keyword_argument") {
                let keyword = node.field(Field::Name).map(|name| name.text());
                (keyword, node.field(Field::Value).unwrap_or(node))
            } else {
                (None, node)
            }
        };
        self.of(list).children().into_iter().map(argument).collect()
    }

    /// The argument of a call of that keyword, or at that position.
    pub fn argument(&self, keyword: &str, position: usize) -> Option<Node<'a>> {
        let arguments = self.arguments();
        let named = arguments.iter().find(|(own, _)| *own == Some(keyword));
        let placed = || {
            arguments
                .iter()
                .take_while(|(own, _)| own.is_none())
                .nth(position)
        };
        named.or_else(placed).map(|(_, value)| *value)
    }

    /// The name of the method that a call calls, and the object it is called on.
    pub fn method(&self) -> Option<(&'a str, Node<'a>)> {
        let function = self.is("call").then(|| self.field(Field::Function))??;
        let name = function
            .is("attribute")
            .then(|| function.field(Field::Attribute))??;
        Some((name.text(), function.field(Field::Object)?))
    }

    /// The names of the parameters of a function.
    pub fn parameter_names(&self) -> Vec<&'a str> {
        let Some(list) = self.field(Field::Parameters) else {
            return Vec::new();
        };
        list.children()
            .into_iter()
            .filter_map(|parameter| match parameter.kind() {
                "identifier" => Some(parameter.text()),
                "typed_parameter" => parameter.children().first().map(Node::text),
                _ => parameter.field(Field::Name).map(|name| name.text()),
            })
            .collect()
    }

    fn of(&self, inner: tree_sitter::Node<'a>) -> Node<'a> {
        Node {
            inner,
            text: self.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_followed() {
        let text = "import numpy as np\nfrom tensorflow.keras import layers as L\ndef f(a, b=1, *, c: int = 2):\n    n = 5\n    return np.random.shuffle(n)\ng = L.Dense(f)\n";
        let program = Program::parse(text);
        let code = program.tree(text).unwrap();
        let calls = code.root().all(&["call"]);
        let paths: Vec<_> = calls.iter().map(|call| code.callee(*call)).collect();
        assert_eq!(
            paths,
            [
                Some("numpy.random.shuffle".to_owned()),
                Some("keras.layers.Dense".to_owned())
            ]
        );
        assert_eq!(code.number(calls[0].argument("x", 0).unwrap()), Some(5.0));
        let function = code.function(calls[1].argument("units", 0).unwrap()).unwrap();
        assert_eq!(function.parameter_names(), ["a", "b", "c"]);
        assert!(function.contains(calls[0]) && calls[0].function() == Some(function));
        assert_eq!(calls[1].statement().text(), "g = L.Dense(f)");
        assert_eq!(calls[0].method().map(|(name, _)| name), Some("shuffle"));
    }
}
