//! Takes dropout out of a network that it keeps from learning, lowers it, or moves it to where it belongs.

use finding::{Edit, Kind, Range};
use program::{Layout, whole_lines};

use trace::LayerInfo;

use super::part;
use crate::candidate::Part;
use crate::facts::{Facts, Spot, without};
use crate::names::after;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let mut removals: Option<Vec<Edit>> = Some(Vec::new());
    let mut lowered: Vec<Edit> = Vec::new();
    let mut first = None;
    let mut strongest: f64 = 0.0;
    let mut count = 0;
    for layer in facts
        .layers()
        .iter()
        .filter(|layer| layer.class.ends_with("Dropout"))
    {
        let Some(spot) = facts.layer(layer) else { continue };
        let rate = layer
            .config
            .get("rate")
            .and_then(|value| value.as_f64())
            .unwrap_or(0.0);
        strongest = strongest.max(rate);
        count += 1;
        first.get_or_insert((spot.source.path.to_owned(), spot.call.range));
        let removal = removal(&spot).filter(|_| facts.alone(layer));
        match (removals.as_mut(), removal) {
            (Some(known), Some(edit)) => known.push(edit),
            _ => removals = None,
        }
        if let Some(edit) = spot
            .set("rate", "0.1")
            .filter(|edit| rate > 0.15 && !lowered.contains(edit))
        {
            lowered.push(edit);
        }
    }
    let Some((path, place)) = first else {
        return Vec::new();
    };
    let prior = if strongest >= 0.5 && count > 1 {
        0.5
    } else if strongest >= 0.4 {
        0.4
    } else {
        0.15
    };
    let mut parts = Vec::new();
    if let Some(edits) = removals {
        let title = if count == 1 {
            "Take out the dropout"
        } else {
            "Take out the dropout layers"
        };
        parts.push(part(title, Kind::Regularisation, &path, place, edits, prior));
    }
    if !lowered.is_empty() {
        parts.push(part(
            "Lower the dropout to 0.1",
            Kind::Regularisation,
            &path,
            place,
            lowered,
            prior - 0.02,
        ));
    }
    parts.extend(moved(facts));
    parts
}

/// Moves dropout from the input behind the first hidden layer, and from the output before it.
fn moved(facts: &Facts<'_>) -> Option<Part> {
    let layers = facts.layers();
    let head = facts.head()?;
    let at = layers
        .iter()
        .position(|layer| layer.class == "Dropout" && (layer.index == 0 || layer.index > head.index))?;
    let spot = facts.layer(&layers[at]).filter(|_| facts.alone(&layers[at]))?;
    let on_input = layers[at].index == 0;
    let weighted = |layer: &&LayerInfo| layer.class == "Dense" || layer.class.starts_with("Conv");
    let target = if on_input {
        layers
            .iter()
            .find(weighted)
            .filter(|layer| layer.index < head.index)?
    } else {
        let last = layers.iter().rfind(weighted)?;
        layers
            .iter()
            .rfind(|layer| layer.index < last.index && layer.activation.is_some())?
    };
    let target = facts
        .layer(target)
        .filter(|target| target.source.path == spot.source.path)?;
    let text = spot.source.text;
    let layout = Layout::of(text)?;
    let statement = |call: Range| {
        layout
            .statements
            .iter()
            .find(|statement| statement.contains(call))
            .copied()
    };
    let (own, other) = (statement(spot.call.range)?, statement(target.call.range)?);
    let added = |statement: Range, call: Range| {
        Range::new(statement.start, call.start)
            .slice(text)
            .trim_end()
            .ends_with(".add(")
    };
    if own == other || !added(own, spot.call.range) || !added(other, target.call.range) {
        return None;
    }
    let edits = vec![
        spot.edit(whole_lines(text, own)?, ""),
        after(&spot.source, other, own.slice(text)),
    ];
    let title = if on_input {
        "Move the dropout behind the first hidden layer"
    } else {
        "Move the dropout before the output layer"
    };
    Some(part(
        title,
        Kind::Regularisation,
        spot.source.path,
        spot.call.range,
        edits,
        0.5,
    ))
}

/// The edit that takes a layer out: a statement of its own, or an item of a list.
fn removal(spot: &Spot<'_>) -> Option<Edit> {
    let text = spot.source.text;
    let call = spot.call.range;
    let layout = Layout::of(text)?;
    let statement = layout
        .statements
        .iter()
        .filter(|statement| statement.contains(call))
        .min_by_key(|statement| statement.len())?;
    let before = Range::new(statement.start, call.start).slice(text);
    let behind = Range::new(call.end, statement.end).slice(text);
    let added = before.trim_end().ends_with(".add(") && behind.trim() == ")";
    let applied = before.split_once('=').is_some_and(|(target, rest)| {
        rest.trim().is_empty() && behind.trim() == format!("({})", target.trim())
    });
    if added || applied {
        return Some(spot.edit(whole_lines(text, *statement)?, ""));
    }
    let listed = matches!(before.trim_end().chars().last(), Some('[' | ','))
        && matches!(behind.trim_start().chars().next(), Some(']' | ','))
        && !before.contains('{');
    // Between brackets of a list, not of a call that takes the layer as one of its arguments.
    let open = before.rfind(['[', '('])?;
    (listed && before[open..].starts_with('['))
        .then(|| spot.edit(without(text, call, statement.start + open + 1), ""))
        .or_else(|| {
            let nested = listed && in_list(before);
            nested.then(|| spot.edit(without(text, call, statement.start), ""))
        })
}

/// Whether the innermost bracket that is open at the end of a text is a square one.
pub(super) fn in_list(text: &str) -> bool {
    let mut open = Vec::new();
    for character in text.chars() {
        match character {
            '(' | '[' | '{' => open.push(character),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    open.last() == Some(&'[')
}
