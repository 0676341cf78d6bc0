//! Takes strong penalties on weights or outputs away.

use finding::{Edit, Kind};

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;

const PENALTIES: [&str; 3] = ["kernel_regularizer", "bias_regularizer", "activity_regularizer"];
/// Penalty from which it is strong.
const STRONG: f64 = 0.05;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut first = None;
    let mut strongest: f64 = 0.0;
    for layer in facts.layers() {
        let Some(spot) = facts.layer(layer) else { continue };
        for name in PENALTIES {
            let factor = ["l1", "l2"]
                .iter()
                .filter_map(|kind| layer.config.get(&format!("{name}.{kind}"))?.as_f64())
                .fold(0.0, f64::max);
            let Some(argument) = spot
                .call
                .argument(name)
                .filter(|argument| argument.name_range.is_some())
            else {
                continue;
            };
            if factor < STRONG {
                continue;
            }
            strongest = strongest.max(factor);
            first.get_or_insert((spot.source.path.to_owned(), argument.value.range));
            let edit = spot.remove(argument);
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
    }
    let Some((path, place)) = first else {
        return Vec::new();
    };
    let prior = if strongest >= 0.5 { 0.6 } else { 0.4 };
    vec![part(
        "Leave out the strong penalties on weights",
        Kind::Regularisation,
        &path,
        place,
        edits,
        prior,
    )]
}
