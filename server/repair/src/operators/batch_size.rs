//! Smaller batches, for more updates out of the same epochs; larger ones, for steadier updates.

use finding::Kind;

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let (Some(size), Some(samples)) = (facts.fit.info.batch_size, facts.fit.info.samples) else {
        return Vec::new();
    };
    let other = match size {
        129.. => 32,
        33.. => 16,
        9.. => 4,
        ..=4 if samples >= 256 => 32,
        _ => return Vec::new(),
    };
    if samples < 2 * other {
        return Vec::new();
    }
    let prior = if size >= samples / 4 && size > 64 {
        0.5
    } else if size >= 128 {
        0.35
    } else if size <= 2 {
        0.3
    } else {
        0.2
    };
    let Some(spot) = facts.fit_call() else {
        return Vec::new();
    };
    let Some(edit) = spot.set("batch_size", &other.to_string()) else {
        return Vec::new();
    };
    let place = spot
        .call
        .argument("batch_size")
        .map_or(spot.call.range, |argument| argument.value.range);
    let title = format!("Train on batches of {other}");
    vec![part(
        title,
        Kind::BatchSize,
        spot.source.path,
        place,
        vec![edit],
        prior,
    )]
}
