//! Where in a script an array can be scaled: after it has its values, before it is split.

use finding::Range;
use localize::Source;
use program::Change;

use crate::facts::Facts;
use crate::names::{ends_line, indent, is_name, mentions, words};

/// A place to put a scaling.
#[derive(Clone, Debug)]
pub struct Scalable<'a> {
    /// The file.
    pub source: Source<'a>,
    /// The variable.
    pub name: &'a str,
    /// The variables with the same features of the rows held out, which have their values at the same place.
    pub held_out: Vec<&'a str>,
    /// The statement to put it after.
    pub after: Range,
    /// The expression that makes the values.
    pub value: Range,

    /// Whether the labels are computed between the value and the place to scale it.
    pub moved: bool,
}

impl Scalable<'_> {
    /// An assignment that changes the variable and those held out alike.
    pub fn each(&self, change: impl Fn(&str) -> String) -> String {
        let names = || std::iter::once(self.name).chain(self.held_out.iter().copied());
        let targets: Vec<&str> = names().collect();
        let values: Vec<String> = names().map(change).collect();
        format!("{} = {}", targets.join(", "), values.join(", "))
    }
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

/// What stands left of the value.
fn left(step: &Change) -> Range {
    Range::new(step.statement.start, step.value.start.max(step.statement.start))
}

/// Where the features (`x`) or labels (`y`) of a training can be changed in a way that the rows held out must share; `None`
/// when those cannot be.
pub fn scalable<'a>(facts: &Facts<'a>, argument: &str) -> Option<Scalable<'a>> {
    let (mut place, limit) = formed(facts, argument)?;
    let text = place.source.text;
    let statements = place.source.program.layout()?.statements;
    for partner in partners(place.name) {
        if place.held_out.iter().any(|known| *known == partner) || !mentions(text, &partner) {
            continue;
        }
        let own = statements
            .iter()
            .filter_map(|statement| {
                let (target, value) = statement.slice(text).split_once('=')?;
                let names = |character: char| character.is_alphanumeric() || "_(), ".contains(character);
                let assigns = target.chars().all(names) && target.starts_with('(') == target.contains('(');
                (assigns && mentions(target, &partner)).then_some((*statement, target.trim(), value))
            })
            .collect::<Vec<_>>();
        let behind = |range: &Range| range.start >= place.after.end;
        // What is cut off the array itself behind the place has the change already.
        if own
            .iter()
            .any(|(statement, _, value)| behind(statement) && mentions(value, place.name))
        {
            continue;
        }
        let level = indent(text, place.after.start);
        let cut = place.value.slice(text).starts_with(&format!("{}[", place.name));
        let last = own.last().filter(|(statement, target, _)| {
            // Rows cut off keep the shape that the partner has; else it must have been formed alike.
            (*target == partner || cut)
                && statement.end <= limit
                && indent(text, statement.start) == level
                && ends_line(text, *statement)
        });
        match last {
            Some((statement, ..)) => {
                let at = statement.start + statement.slice(text).find(partner.as_str())?;
                place
                    .held_out
                    .push(Range::new(at, at + partner.len()).slice(text));
                if statement.end > place.after.end {
                    place.after = *statement;
                }
            }
            None if mentions(text.get(place.after.end..).unwrap_or(""), &partner) => return None,
            None => {}
        }
    }
    Some(place)
}

/// Names that the rows held out may have beside the rows trained on.
fn partners(name: &str) -> Vec<String> {
    const NAMES: [(&str, &[&str]); 5] = [
        ("training", &["test", "testing", "validation", "val"]),
        ("train", &["test", "val", "valid", "validation", "dev"]),
        ("Train", &["Test", "Val", "Valid", "Validation"]),
        ("TRAIN", &["TEST", "VAL"]),
        ("_tr", &["_te", "_ts", "_val", "_va"]),
    ];
    let fits = |train: &str| name.contains(train) && (train != "_tr" || name.ends_with(train));
    NAMES
        .iter()
        .find(|(train, _)| fits(train))
        .into_iter()
        .flat_map(|(train, others)| others.iter().map(move |other| name.replace(train, other)))
        .collect()
}

/// Where the features or labels have their values, before they are split.
pub fn settled<'a>(facts: &Facts<'a>, argument: &str) -> Option<Scalable<'a>> {
    formed(facts, argument).map(|(place, _)| place)
}

/// The same, and where their next statement begins.
fn formed<'a>(facts: &Facts<'a>, argument: &str) -> Option<(Scalable<'a>, usize)> {
    let source = facts.fit_call()?.source;
    let text = source.text;
    let steps = flow(facts, argument);
    let fit = facts.fit_call()?.call.range.start;
    let whole = |step: &Change| {
        is_name(step.target.slice(text))
            && !left(step).slice(text).contains(',')
            && !step.value.slice(text).ends_with(']')
            && ends_line(text, step.statement)
    };
    if let Some(at) = steps.iter().rposition(whole) {
        let formed = steps[at];
        let limit = steps.get(at + 1).map_or(fit, |next| next.statement.start);
        // Labels that are computed from the features must be there before the features change.
        let name = formed.target.slice(text);
        let uses = |statement: Range| words(statement.slice(text)).any(|word| word == name);
        let other = if argument == "x" { "y" } else { "x" };
        let level = indent(text, formed.statement.start);
        let after = flow(facts, other)
            .iter()
            .map(|step| step.statement)
            .filter(|other| other.start >= formed.statement.end && other.end <= limit)
            .filter(|other| uses(*other) && indent(text, other.start) == level && ends_line(text, *other))
            .max_by_key(|other| other.end)
            .unwrap_or(formed.statement);
        let place = Scalable {
            source,
            name,
            held_out: Vec::new(),
            after,
            value: formed.value,
            moved: after != formed.statement,
        };
        return Some((place, limit));
    }
    // `(x_train, y_train), (x_test, y_test) = load_data()`
    let last = steps.last()?;
    let used = facts.fit_call()?.call.argument(argument)?.value.range.slice(text);
    let all: Vec<&'a str> = words(left(last).slice(text)).collect();
    let name = words(last.target.slice(text))
        .chain([used])
        .find_map(|name| all.iter().find(|known| **known == name))
        .copied()?;
    if !ends_line(text, last.statement) {
        return None;
    }
    let place = Scalable {
        source,
        name,
        held_out: beside(left(last).slice(text), last.value.slice(text), &all, name),
        after: last.statement,
        value: last.value,
        moved: false,
    };
    Some((place, fit))
}

/// The names that one statement gives the same features of other rows: by their place, else by what they are called.
fn beside<'a>(left: &str, value: &str, all: &[&'a str], name: &str) -> Vec<&'a str> {
    let at = all.iter().position(|known| *known == name).unwrap_or_default();
    let pairs = left.matches('(').count() == 2 && all.len() == 4;
    let split = mentions_call(value, "train_test_split") && all.len().is_multiple_of(2);
    let other = if pairs && at < 2 {
        all.get(at + 2)
    } else if split && at % 2 == 0 {
        all.get(at + 1)
    } else {
        let partners = partners(name);
        return all
            .iter()
            .filter(|other| partners.iter().any(|partner| partner == *other))
            .copied()
            .collect();
    };
    other
        .filter(|other| **other != "_")
        .into_iter()
        .copied()
        .collect()
}

fn mentions_call(value: &str, function: &str) -> bool {
    value
        .split('(')
        .next()
        .is_some_and(|callee| callee.ends_with(function))
}
