//! The value that a variable has at a place.

use program::{Statement, StatementKind, Term, TermKind, own_statements};

/// Longest way that is followed.
const LONGEST: usize = 24;

/// The value that a name of a block is given last before a byte.
fn last_value<'a>(block: &'a [Statement], name: &str, before: usize) -> Option<&'a Term> {
    own_statements(block)
        .into_iter()
        .filter(|statement| statement.range.end <= before)
        .filter_map(|statement| statement.value_of(name))
        .next_back()
}

/// The value that an attribute of `self`, or another name, is given anywhere in a script, where there is one alone.
pub(crate) fn only_value<'a>(code: &'a [Statement], target: &Term) -> Option<&'a Term> {
    let same = |other: &Term| match (&target.kind, &other.kind) {
        (TermKind::Name(name), TermKind::Name(other)) => name == other,
        (TermKind::Attribute(object, name), TermKind::Attribute(other, own)) => {
            name == own && object.name().is_some() && object.name() == other.name()
        }
        _ => false,
    };
    let mut values = program::statements(code)
        .into_iter()
        .filter_map(|statement| match &statement.kind {
            StatementKind::Assign { target, value, .. } if same(target) => Some(value),
            _ => None,
        });
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// What an expression was made from, step by step: variables by their last value, calls by their first argument.
pub(crate) fn way<'a>(block: &'a [Statement], term: &'a Term) -> Vec<&'a Term> {
    let mut found: Vec<&Term> = vec![term];
    for _ in 0..LONGEST {
        let Some(term) = found.last().copied() else { break };
        let next = match &term.kind {
            TermKind::Name(name) => last_value(block, name, term.range.start),
            TermKind::Subscript(object, _) => Some(&**object),
            TermKind::Call(call) => call.arguments.first().map(|(_, value)| value),
            _ => None,
        };
        let Some(next) = next.filter(|next| !found.iter().any(|known| std::ptr::eq(*known, *next))) else {
            break;
        };
        found.push(next);
    }
    found
}
