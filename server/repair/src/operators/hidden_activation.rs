//! Activations inside the network: added where there are none, or replaced where they saturate or die.

use finding::{Edit, Kind};
use trace::{LayerInfo, Stat, Tensor};

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;
use crate::names::quoted;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let bare = bare(facts);
    parts.extend(every(
        facts,
        &bare,
        "relu",
        "Give the hidden layers a relu activation",
        if bare.is_empty() { 0.0 } else { 0.55 },
    ));
    let named = |names: &[&str]| -> Vec<&LayerInfo> {
        inner(facts)
            .filter(|layer| {
                layer
                    .activation
                    .as_deref()
                    .is_some_and(|name| names.contains(&name))
            })
            .filter(|layer| {
                !matches!(
                    layer.class.as_str(),
                    "LSTM" | "GRU" | "SimpleRNN" | "Bidirectional"
                )
            })
            .collect()
    };
    let flat = named(&["sigmoid", "hard_sigmoid", "softmax"]);
    parts.extend(every(facts, &flat, "relu", "Use relu in the hidden layers", 0.45));
    parts.extend(every(facts, &flat, "tanh", "Use tanh in the hidden layers", 0.4));
    let bent = named(&["tanh"]);
    parts.extend(every(facts, &bent, "relu", "Use relu in the hidden layers", 0.25));
    let relu = named(&["relu"]);
    let dead = if relu.iter().any(|layer| mostly_dead(facts, layer)) {
        0.45
    } else {
        0.15
    };
    parts.extend(every(
        facts,
        &relu,
        "leaky_relu",
        "Use leaky_relu in the hidden layers",
        dead,
    ));
    parts.extend(every(
        facts,
        &relu,
        "tanh",
        "Use tanh in the hidden layers",
        dead - 0.02,
    ));
    parts
}

/// Layers before the one that shapes the output.
fn inner<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a LayerInfo> {
    let head = facts.head().map(|layer| layer.index);
    facts
        .layers()
        .iter()
        .filter(move |layer| head.is_some_and(|head| layer.index < head))
}

/// Hidden layers whose values go into the next weights as they are.
fn bare<'a>(facts: &Facts<'a>) -> Vec<&'a LayerInfo> {
    let layers = facts.layers();
    let head = facts.head();
    let computes = |layer: &LayerInfo| {
        layer.class == "Dense" || (layer.class.starts_with("Conv") && !layer.class.contains("LSTM"))
    };
    inner(facts)
        .filter(|layer| computes(layer) && layer.activation.as_deref() == Some("linear"))
        .filter(|layer| {
            for next in layers.iter().filter(|next| next.index > layer.index) {
                match next.activation.as_deref() {
                    // The activation of the output, of a layer of its own, belongs to this layer.
                    Some(_) if !computes(next) => return false,
                    Some(_) => return true,
                    None if Some(next.index) == head.map(|head| head.index) => return false,
                    None => {}
                }
            }
            false
        })
        .collect()
}

fn mostly_dead(facts: &Facts<'_>, layer: &LayerInfo) -> bool {
    facts.fit.series(layer.index, Tensor::V2).is_some_and(|series| {
        let units = series.last(Stat::Units).unwrap_or(0.0);
        units > 0.0 && series.last(Stat::DeadUnits).unwrap_or(0.0) > 0.5 * units
    })
}

/// One change that gives all of these layers an activation.
fn every(
    facts: &Facts<'_>,
    layers: &[&LayerInfo],
    activation: &str,
    title: &str,
    prior: f64,
) -> Option<Part> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut first = None;
    for layer in layers {
        let spot = facts.layer(layer)?;
        let edit = spot.set("activation", &quoted(&spot.source, activation))?;
        let place = spot
            .call
            .argument("activation")
            .map_or(spot.call.range, |argument| argument.value.range);
        first.get_or_insert((spot.source.path.to_owned(), place));
        // A call in a loop makes several layers.
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    let (path, place) = first?;
    Some(part(title, Kind::HiddenActivation, &path, place, edits, prior))
}
