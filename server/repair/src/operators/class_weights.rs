//! Gives rare classes more weight.

use finding::Kind;

use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::{Facts, Labels};

/// How many times as frequent as the rarest class the most frequent one must be.
const UNEVEN: u64 = 4;
/// More classes are not written out.
const MOST: usize = 12;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let Some(y) = facts.y().filter(|_| !facts.fit.info.weighted) else {
        return Vec::new();
    };
    let counts = match facts.labels() {
        Labels::Binary | Labels::Numbers(_) => y.classes.as_ref(),
        Labels::OneHot(_) => y.first_column_classes.as_ref(),
        _ => None,
    };
    let Some(counts) = counts.filter(|counts| (2..=MOST).contains(&counts.len())) else {
        return Vec::new();
    };
    let (least, most) = counts.iter().fold((u64::MAX, 0), |(least, most), (_, count)| {
        (least.min(*count), most.max(*count))
    });
    if least == 0 || most < UNEVEN * least {
        return Vec::new();
    }
    let Some(spot) = facts
        .fit_call()
        .filter(|spot| spot.call.argument("class_weight").is_none())
    else {
        return Vec::new();
    };
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let weight = |count: u64| all as f64 / (counts.len() as f64 * count as f64);
    let weights: Vec<String> = counts
        .iter()
        .map(|(class, count)| {
            format!(
                "{class}: {}",
                super::learning_rate::written((weight(*count) * 100.0).round() / 100.0)
            )
        })
        .collect();
    let Some(edit) = spot.set("class_weight", &format!("{{{}}}", weights.join(", "))) else {
        return Vec::new();
    };
    let prior = if most >= 10 * least { 0.45 } else { 0.3 };
    let title = "Weigh the classes by how rare they are";
    let mut weighed = part(
        title,
        Kind::DataOther,
        spot.source.path,
        spot.call.range,
        vec![edit],
        prior,
    );
    weighed.aspect = Aspect::Order;
    vec![weighed]
}
