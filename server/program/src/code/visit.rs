//! Going through statements and expressions.

use super::{Applied, Function, Statement, StatementKind, Term, TermKind};

impl Term {
    /// The expressions directly in this one.
    pub fn parts(&self) -> Vec<&Term> {
        match &self.kind {
            TermKind::Name(_) | TermKind::Number(_) | TermKind::Text(_) | TermKind::Bool(_) => Vec::new(),
            TermKind::Attribute(inner, _) | TermKind::Unary(_, inner) | TermKind::Lambda(_, inner) => {
                vec![&**inner]
            }
            TermKind::Subscript(object, index) => std::iter::once(&**object).chain(index).collect(),
            TermKind::Call(call) => std::iter::once(&*call.function)
                .chain(call.arguments.iter().map(|(_, value)| value))
                .collect(),
            TermKind::Binary(_, left, right) => vec![&**left, &**right],
            TermKind::Compare(_, terms) | TermKind::List(terms) | TermKind::Other(terms) => {
                terms.iter().collect()
            }
            TermKind::Dict(items) => items.iter().flat_map(|(key, value)| [key, value]).collect(),
            TermKind::Choice(parts) => parts.iter().collect(),
        }
    }

    /// This expression and all in it, outer ones first.
    pub fn all(&self) -> Vec<&Term> {
        let mut found = vec![self];
        let mut at = 0;
        while let Some(term) = found.get(at) {
            found.extend(term.parts());
            at += 1;
        }
        found
    }

    /// The variable this is.
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            TermKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The number this is, a minus before it included.
    pub fn number(&self) -> Option<f64> {
        match &self.kind {
            TermKind::Number(number) => Some(*number),
            TermKind::Unary("-", inner) => inner.number().map(|number| -number),
            _ => None,
        }
    }

    /// The call this is.
    pub fn call(&self) -> Option<&Applied> {
        match &self.kind {
            TermKind::Call(call) => Some(call),
            _ => None,
        }
    }
}

impl Applied {
    /// The last part of the name of what is called, be it imported or not.
    pub fn last(&self) -> Option<&str> {
        match &self.path {
            Some(path) => path.rsplit('.').next(),
            None => match &self.function.kind {
                TermKind::Name(name) | TermKind::Attribute(_, name) => Some(name),
                _ => None,
            },
        }
    }

    /// The argument at a position or with a keyword.
    pub fn argument(&self, position: usize, keyword: &str) -> Option<&Term> {
        self.keyword(keyword).or_else(|| {
            let mut positional = self.arguments.iter().filter(|(name, _)| name.is_none());
            positional.nth(position).map(|(_, value)| value)
        })
    }

    /// The argument with a keyword.
    pub fn keyword(&self, keyword: &str) -> Option<&Term> {
        let named = |(name, _): &&(Option<String>, Term)| name.as_deref() == Some(keyword);
        self.arguments.iter().find(named).map(|(_, value)| value)
    }

    /// The object of which a method is called.
    pub fn receiver(&self) -> Option<&Term> {
        match &self.function.kind {
            TermKind::Attribute(object, _) => Some(object),
            _ => None,
        }
    }
}

impl Statement {
    /// The expressions of this statement itself, not of those in it.
    pub fn terms(&self) -> Vec<&Term> {
        match &self.kind {
            StatementKind::Assign { target, value, .. } => vec![target, value],
            StatementKind::Expression(term) | StatementKind::Return(Some(term)) => vec![term],
            StatementKind::For(target, items, _) => vec![target, items],
            StatementKind::While(condition, _) | StatementKind::If(condition, ..) => vec![condition],
            StatementKind::With(items, _) => items.iter().map(|(item, _)| item).collect(),
            StatementKind::Function(function) => {
                let defaults = function
                    .parameters
                    .iter()
                    .filter_map(|(_, default)| default.as_ref());
                function.decorators.iter().chain(defaults).collect()
            }
            StatementKind::Class(_, bases, _) => bases.iter().collect(),
            StatementKind::Return(None) | StatementKind::Other(_) => Vec::new(),
        }
    }

    /// The statements directly in this one, those of functions and classes too.
    pub fn inner(&self) -> Vec<&Statement> {
        match &self.kind {
            StatementKind::For(_, _, body)
            | StatementKind::While(_, body)
            | StatementKind::With(_, body)
            | StatementKind::Class(_, _, body)
            | StatementKind::Other(body) => body.iter().collect(),
            StatementKind::If(_, body, other) => body.iter().chain(other).collect(),
            StatementKind::Function(function) => function.body.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The function this statement defines.
    pub fn function(&self) -> Option<&Function> {
        match &self.kind {
            StatementKind::Function(function) => Some(function),
            _ => None,
        }
    }
}

/// All statements of a block in document order, those inside others too.
pub fn statements(block: &[Statement]) -> Vec<&Statement> {
    let mut found = Vec::new();
    let mut open: Vec<&Statement> = block.iter().rev().collect();
    while let Some(statement) = open.pop() {
        found.push(statement);
        open.extend(statement.inner().into_iter().rev());
    }
    found
}

/// The statements of a block in document order without those of functions and classes that it defines.
pub fn own_statements(block: &[Statement]) -> Vec<&Statement> {
    let mut found = Vec::new();
    let mut open: Vec<&Statement> = block.iter().rev().collect();
    while let Some(statement) = open.pop() {
        found.push(statement);
        if !matches!(
            statement.kind,
            StatementKind::Function(_) | StatementKind::Class(..)
        ) {
            open.extend(statement.inner().into_iter().rev());
        }
    }
    found
}
