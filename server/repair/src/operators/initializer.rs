//! Initial weights: those that Keras chooses by itself instead of very large, very small or equal ones.

use finding::{Edit, Kind};
use trace::LayerInfo;

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut first = None;
    let mut prior: f64 = 0.0;
    for layer in facts.layers() {
        let Some(odd) = oddness(layer) else { continue };
        let Some(spot) = facts.layer(layer) else { continue };
        let Some(argument) = spot.call.argument("kernel_initializer") else {
            continue;
        };
        if argument.name_range.is_none() {
            continue;
        }
        let edit = spot.remove(argument);
        first.get_or_insert((spot.source.path.to_owned(), argument.value.range));
        prior = prior.max(odd);
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    let Some((path, place)) = first else {
        return Vec::new();
    };
    let title = "Leave the initial weights to Keras";
    vec![part(title, Kind::WeightInit, &path, place, edits, prior)]
}

/// How much the initial weights of a layer look like a fault; `None` when they are usual ones.
fn oddness(layer: &LayerInfo) -> Option<f64> {
    let number = |name: &str| {
        layer
            .config
            .get(&format!("kernel_initializer.{name}"))
            .and_then(|value| value.as_f64())
    };
    match layer.config.get("kernel_initializer")?.as_str()? {
        "Zeros" | "Ones" | "Constant" => Some(0.7),
        "RandomNormal" | "TruncatedNormal" => match number("stddev")? {
            0.4.. => Some(0.45),
            ..0.06 => Some(0.3),
            _ => None,
        },
        "RandomUniform" => (number("maxval")? - number("minval")? <= 0.11).then_some(0.3),
        _ => None,
    }
}
