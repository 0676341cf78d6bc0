//! Where in a script an array can be scaled: after it has its values, before it is split.

use finding::Range;
use localize::Source;
use program::Change;

use crate::facts::Facts;
use crate::names::{ends_line, indent, is_name};

/// A place to put a scaling.
#[derive(Clone, Copy, Debug)]
pub struct Scalable<'a> {
    /// The file.
    pub source: Source<'a>,
    /// The variable.
    pub name: &'a str,
    /// The variable with the same features of the rows held out, where the two are made by one statement.
    pub held_out: Option<&'a str>,
    /// The statement to put it after.
    pub after: Range,
    /// The expression that makes the values.
    pub value: Range,

    /// Whether the labels are computed between the value and the place to scale it.
    pub moved: bool,
}

/// The statements an argument of `fit` goes through, the first of them first.
fn flow(facts: &Facts<'_>, argument: &str) -> Vec<Change> {
    let Some(spot) = facts.fit_call() else {
        return Vec::new();
    };
    let Some(argument) = spot.call.argument(argument) else {
        return Vec::new();
    };
    let way = spot
        .source
        .program
        .provenance(spot.source.text, argument.value.range, spot.call.range.start);
    let mut steps: Vec<Change> = way
        .change
        .into_iter()
        .chain(way.chain.into_iter().rev())
        .collect();
    // A value that is made within the call of `fit` is no variable.
    steps.retain(|step| !spot.call.range.contains(step.value));
    steps
}

/// Where the features (`x`) or labels (`y`) of a training can be scaled.
pub fn scalable<'a>(facts: &Facts<'a>, argument: &str) -> Option<Scalable<'a>> {
    let source = facts.fit_call()?.source;
    let text = source.text;
    let steps = flow(facts, argument);
    let left = |step: &Change| {
        Range::new(step.statement.start, step.value.start.max(step.statement.start)).slice(text)
    };
    let whole = |step: &Change| {
        is_name(step.target.slice(text))
            && !left(step).contains(',')
            && !step.value.slice(text).ends_with(']')
            && ends_line(text, step.statement)
    };
    if let Some(at) = steps.iter().rposition(whole) {
        let formed = steps[at];
        let limit = steps
            .get(at + 1)
            .map_or(facts.fit_call()?.call.range.start, |next| next.statement.start);
        // Labels that are computed from the features must be there before the features change.
        let name = formed.target.slice(text);
        let uses = |statement: Range| {
            let words = statement
                .slice(text)
                .split(|character: char| !(character.is_alphanumeric() || character == '_'));
            words.into_iter().any(|word| word == name)
        };
        let other = if argument == "x" { "y" } else { "x" };
        let level = indent(text, formed.statement.start);
        let after = flow(facts, other)
            .iter()
            .map(|step| step.statement)
            .filter(|other| other.start >= formed.statement.end && other.end <= limit)
            .filter(|other| uses(*other) && indent(text, other.start) == level && ends_line(text, *other))
            .max_by_key(|other| other.end)
            .unwrap_or(formed.statement);
        return Some(Scalable {
            source,
            name,
            held_out: None,
            after,
            value: formed.value,
            moved: after != formed.statement,
        });
    }
    // `(x_train, y_train), (x_test, y_test) = load_data()`
    let last = steps.last()?;
    let used = facts.fit_call()?.call.argument(argument)?.value.range.slice(text);
    let names: Vec<&str> = last
        .target
        .slice(text)
        .split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|name| !name.is_empty())
        .collect();
    let all: Vec<&'a str> = Range::new(last.statement.start, last.value.start.max(last.statement.start))
        .slice(text)
        .split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|name| !name.is_empty())
        .collect();
    let name = names
        .iter()
        .chain(&[used])
        .find_map(|name| all.iter().find(|known| *known == name))
        .copied()?;
    if !ends_line(text, last.statement) {
        return None;
    }
    let partner = name.replace("train", "test");
    let held_out = all
        .iter()
        .find(|other| **other == partner && partner != name)
        .copied();
    Some(Scalable {
        source,
        name,
        held_out,
        after: last.statement,
        value: last.value,
        moved: false,
    })
}
