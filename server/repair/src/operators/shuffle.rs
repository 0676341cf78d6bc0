//! Puts the samples into a random order: in every epoch, and once before a share of them is held out.

use finding::Kind;

use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::Facts;
use crate::flow::settled;
use crate::names::{after, free, of_numpy};

/// Changes from one label to the next, over those expected of shuffled labels, below which labels are in order.
const IN_ORDER: f64 = 0.5;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let Some(spot) = facts.fit_call() else {
        return parts;
    };
    let runs = facts
        .fit
        .info
        .data
        .baselines
        .as_ref()
        .map(|known| known.label_runs);
    let in_order = runs.is_some_and(|runs| runs < IN_ORDER);
    if facts.fit.info.shuffle == Some(false)
        && let Some(argument) = spot
            .call
            .argument("shuffle")
            .filter(|argument| argument.name_range.is_some())
    {
        let edit = spot.edit(argument.value.range, "True");
        let prior = if in_order { 0.7 } else { 0.3 };
        let title = "Shuffle the samples in every epoch";
        parts.push(part(
            title,
            Kind::DataOther,
            spot.source.path,
            argument.value.range,
            vec![edit],
            prior,
        ));
    }
    if in_order
        && spot.call.argument("validation_split").is_some()
        && let Some(edit) = once(facts)
    {
        let place = spot
            .call
            .argument("validation_split")
            .map_or(spot.call.range, |argument| argument.range);
        let title = "Shuffle the samples before some are held out";
        parts.push(part(
            title,
            Kind::DataOther,
            spot.source.path,
            place,
            vec![edit],
            0.75,
        ));
    }
    for part in &mut parts {
        part.aspect = Aspect::Order;
    }
    parts
}

/// One order for both arrays, after the later of them has its values.
fn once(facts: &Facts<'_>) -> Option<finding::Edit> {
    let (x, y) = (settled(facts, "x")?, settled(facts, "y")?);
    let numpy = of_numpy(&x.source)?;
    let behind = if x.after.end > y.after.end {
        x.after
    } else {
        y.after
    };
    let (x, y) = (x.name, y.name);
    let source = facts.fit_call()?.source;
    let order = free(&source, "order");
    let lines =
        format!("{order} = {numpy}.random.permutation(len({x}))\n{x}, {y} = {x}[{order}], {y}[{order}]");
    Some(after(&source, behind, &lines))
}
