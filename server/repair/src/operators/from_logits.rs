//! `from_logits` as the output has it: left out after a softmax or sigmoid, given for an output without activation.

use finding::Kind;

use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::{Facts, Spot};
use crate::names::of_keras;

/// Cross-entropies by the name of their function, with their class.
const CLASSES: [(&str, &str); 3] = [
    ("binary_crossentropy", "BinaryCrossentropy"),
    ("categorical_crossentropy", "CategoricalCrossentropy"),
    ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"),
];

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let (Some(head), Some(loss)) = (facts.head(), &facts.fit.info.loss) else {
        return Vec::new();
    };
    let Some((_, class)) = CLASSES.iter().find(|(name, _)| *name == loss.name) else {
        return Vec::new();
    };
    let told = loss
        .config
        .get("from_logits")
        .is_some_and(|value| value.as_bool() == Some(true));
    let Some(compile) = facts.compile() else {
        return Vec::new();
    };
    let Some(argument) = compile.call.argument("loss") else {
        return Vec::new();
    };
    let made = facts.spot_at(&compile, argument.value.origin);
    let activated = matches!(head.activation.as_deref(), Some("softmax" | "sigmoid"));
    let proposed = match (told, activated, &made) {
        (true, true, Some(made)) => made
            .call
            .argument("from_logits")
            .filter(|argument| argument.name_range.is_some())
            .map(|argument| {
                let title = "Leave out from_logits, since the output is no logits";
                part(
                    title,
                    Kind::Loss,
                    made.source.path,
                    argument.range,
                    vec![made.remove(argument)],
                    0.8,
                )
            }),
        (false, false, Some(made)) if head.activation.as_deref() == Some("linear") => made
            .set("from_logits", "True")
            .map(|edit| told_logits(made, made.call.range, vec![edit])),
        (false, false, None) if head.activation.as_deref() == Some("linear") => {
            of_keras(&compile.source, "losses", class).map(|name| {
                let call = format!("{}(from_logits=True)", name.text);
                let edit = compile.edit(argument.value.range, call);
                let edits = std::iter::once(edit).chain(name.import).collect();
                told_logits(&compile, argument.value.range, edits)
            })
        }
        _ => None,
    };
    let mut parts: Vec<Part> = proposed.into_iter().collect();
    for part in &mut parts {
        part.aspect = Aspect::Head;
    }
    parts
}

fn told_logits(spot: &Spot<'_>, place: finding::Range, edits: Vec<finding::Edit>) -> Part {
    let title = "Tell the loss that the output is logits";
    part(title, Kind::Loss, spot.source.path, place, edits, 0.7)
}
