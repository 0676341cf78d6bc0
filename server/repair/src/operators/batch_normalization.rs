//! Batch normalisation before the first hidden activation of a deep network whose units are flat.

use finding::{Edit, Kind, Range};
use program::Layout;

use trace::LayerInfo;

use super::dropout::in_list;
use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::{Facts, Spot};
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
        if let Some(model) = before.trim_end().strip_suffix(".add(") {
            let line = format!("{model}.add({}())", name.text);
            edits.push(after(&spot.source, *statement, &line));
        } else if let Some(edit) = listed(facts, layer, &spot, *statement, &name.text) {
            edits.push(edit);
        } else {
            continue;
        }
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

/// The edit that puts one more item before the next layer of a list.
fn listed(
    facts: &Facts<'_>,
    layer: &LayerInfo,
    spot: &Spot<'_>,
    statement: Range,
    name: &str,
) -> Option<Edit> {
    let text = spot.source.text;
    let next = facts.layers().iter().find(|next| next.index == layer.index + 1)?;
    let next = facts
        .layer(next)
        .filter(|next| next.source.path == spot.source.path)?;
    let between = Range::new(spot.call.range.end, next.call.range.start);
    let listed = statement.contains(next.call.range)
        && in_list(Range::new(statement.start, spot.call.range.start).slice(text))
        && between.end > between.start
        && between.slice(text).trim_start().starts_with(',');
    if !listed {
        return None;
    }
    let own_line = text[..next.call.range.start].rsplit('\n').next().unwrap_or("");
    let gap = if own_line.trim().is_empty() {
        format!("\n{own_line}")
    } else {
        " ".to_owned()
    };
    let at = next.call.range.start;
    Some(spot.edit(Range::new(at, at), format!("{name}(),{gap}")))
}
