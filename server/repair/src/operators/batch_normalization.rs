//! Batch normalisation before the first hidden activation of a deep network whose units are flat.

use finding::{Edit, Kind, Range};
use program::Layout;

use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::Facts;
use crate::names::{after, of_keras};

/// Weighted layers from which a network is deep.
const DEEP: usize = 4;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let weighted: Vec<_> = facts
        .layers()
        .iter()
        .filter(|layer| layer.class == "Dense" || layer.class.starts_with("Conv"))
        .collect();
    let has = facts
        .layers()
        .iter()
        .any(|layer| layer.class.contains("Normalization"));
    if weighted.len() < DEEP || has {
        return Vec::new();
    }
    let mut edits: Vec<Edit> = Vec::new();
    let mut first = None;
    for layer in &weighted[..weighted.len() - 1] {
        let Some(spot) = facts.layer(layer).filter(|_| facts.alone(layer)) else {
            continue;
        };
        let text = spot.source.text;
        let Some(name) = of_keras(&spot.source, "layers", "BatchNormalization") else {
            continue;
        };
        let Some(layout) = Layout::of(text) else { continue };
        let Some(statement) = layout
            .statements
            .iter()
            .find(|statement| statement.contains(spot.call.range))
        else {
            continue;
        };
        let before = Range::new(statement.start, spot.call.range.start).slice(text);
        let Some(model) = before.trim_end().strip_suffix(".add(") else {
            continue;
        };
        let line = format!("{model}.add({}())", name.text);
        edits.push(after(&spot.source, *statement, &line));
        if let Some(import) = name.import.filter(|import| !edits.contains(import)) {
            edits.push(import);
        }
        first.get_or_insert((spot.source.path.to_owned(), spot.call.range));
    }
    let Some((path, place)) = first else {
        return Vec::new();
    };
    let title = "Normalise the batches after each hidden layer";
    let mut normalised = part(title, Kind::MissingLayer, &path, place, edits, 0.3);
    normalised.aspect = Aspect::Regularisation;
    vec![normalised]
}
