//! More units in hidden layers that are too narrow to let anything through.

use finding::{Edit, Kind};

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;

/// Units below which a hidden layer is narrow, and how many it gets.
const NARROW: i64 = 8;
const WIDE: i64 = 32;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let head = facts.layers().iter().rposition(|layer| layer.class == "Dense");
    let mut edits: Vec<Edit> = Vec::new();
    let mut first = None;
    let mut fewest = NARROW;
    for (at, layer) in facts.layers().iter().enumerate() {
        let units = layer.config.get("units").and_then(|value| value.as_i64());
        let Some(units) = units.filter(|units| *units < NARROW && layer.class == "Dense" && Some(at) != head)
        else {
            continue;
        };
        let Some(spot) = facts.layer(layer) else { continue };
        let Some(argument) = spot.call.argument("units") else {
            continue;
        };
        let edit = spot.edit(argument.value.range, WIDE.to_string());
        if !edits.contains(&edit) {
            edits.push(edit);
        }
        fewest = fewest.min(units);
        first.get_or_insert((spot.source.path.to_owned(), argument.value.range));
    }
    let Some((path, place)) = first else {
        return Vec::new();
    };
    let prior = if fewest <= 2 { 0.4 } else { 0.25 };
    let title = format!("Give the hidden layers {WIDE} units");
    vec![part(title, Kind::LayerSize, &path, place, edits, prior)]
}
