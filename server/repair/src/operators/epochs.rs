//! Longer training, where there are few steps.

use finding::Kind;

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;

/// Steps from which a training is not called short.
const SHORT: u64 = 1000;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let (Some(epochs), Some(steps)) = (facts.fit.info.epochs, facts.steps_asked()) else {
        return Vec::new();
    };
    if steps >= SHORT || epochs == 0 {
        return Vec::new();
    }
    let Some(spot) = facts.fit_call() else {
        return Vec::new();
    };
    let more = epochs * 10;
    let Some(edit) = spot.set("epochs", &more.to_string()) else {
        return Vec::new();
    };
    let place = spot
        .call
        .argument("epochs")
        .map_or(spot.call.range, |argument| argument.value.range);
    let prior = if steps < 100 { 0.6 } else { 0.3 };
    let title = format!("Train for {more} epochs");
    vec![part(
        title,
        Kind::Epochs,
        spot.source.path,
        place,
        vec![edit],
        prior,
    )]
}
