//! Lets layers be trained that are frozen, where nearly all of them are.

use finding::{Kind, Range};
use program::{Argument, EventKind, Value};

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;
use crate::names::ends_line;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let weights = |trainable: bool| -> i64 {
        facts
            .layers()
            .iter()
            .flat_map(|layer| layer.weights.iter().map(move |weight| (layer, weight)))
            .filter(|(layer, weight)| (layer.trainable && weight.trainable) == trainable)
            .map(|(_, weight)| weight.shape.iter().product::<i64>())
            .sum()
    };
    if weights(false) <= weights(true) {
        return Vec::new();
    }
    let Some(spot) = facts.fit_call() else {
        return Vec::new();
    };
    let text = spot.source.text;
    let mut parts = Vec::new();
    for event in &spot.source.program.events {
        let frozen = matches!(
            event.kind,
            EventKind::Trainable {
                value: Some(false),
                ..
            }
        );
        if !frozen || event.range.start > spot.call.range.start {
            continue;
        }
        let line = text[event.range.start..].lines().next().unwrap_or("");
        let Some(at) = line.find("False") else { continue };
        let value = Range::new(event.range.start + at, event.range.start + at + "False".len());
        if !ends_line(text, value) {
            continue;
        }
        let edit = spot.edit(value, "True");
        parts.push(part(
            "Train the frozen layers",
            Kind::ApiMisuse,
            spot.source.path,
            value,
            vec![edit],
            0.6,
        ));
    }
    if parts.is_empty() {
        parts.extend(arguments(facts));
    }
    parts.truncate(1);
    parts
}

/// `trainable=False` in the calls of layers.
fn arguments(facts: &Facts<'_>) -> Option<Part> {
    let mut edits = Vec::new();
    let mut first = None;
    for layer in facts.layers().iter().filter(|layer| !layer.trainable) {
        let Some(spot) = facts.layer(layer) else { continue };
        let frozen = |argument: &&Argument| argument.value.value == Value::Bool(false);
        let Some(argument) = spot.call.argument("trainable").filter(frozen) else {
            continue;
        };
        first.get_or_insert((spot.source.path.to_owned(), argument.value.range));
        let edit = spot.edit(argument.value.range, "True");
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    let (path, place) = first?;
    Some(part(
        "Train the frozen layers",
        Kind::ApiMisuse,
        &path,
        place,
        edits,
        0.6,
    ))
}
