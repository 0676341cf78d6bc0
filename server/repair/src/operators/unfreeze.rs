//! Lets layers be trained that are frozen, where nearly all of them are.

use finding::{Kind, Range};
use program::EventKind;

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
    parts.truncate(1);
    parts
}
