//! Brings the targets of a regression to mean 0 and standard deviation 1.

use finding::Kind;

use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::{Facts, Labels};
use crate::flow::scalable;
use crate::names::{after, free, of_sklearn};

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let Some(y) = facts.y().filter(|_| facts.labels() == Labels::Real) else {
        return Vec::new();
    };
    if y.std == 0.0 {
        return Vec::new();
    }
    let rms = y.mean.hypot(y.std);
    let prior = match rms {
        30.0.. => 0.75,
        5.0.. => 0.45,
        2.0.. => 0.3,
        _ if rms < 0.05 => 0.4,
        _ => return Vec::new(),
    };
    let Some(place) = scalable(facts, "y") else {
        return Vec::new();
    };
    let name = place.name;
    let axis = if y.shape.len() > 1 { "axis=0" } else { "" };
    let scaler = of_sklearn(&place.source, "preprocessing", "StandardScaler").filter(|_| y.shape.len() == 2);
    let alone = place.held_out.is_empty();
    let scaler = scaler.filter(|_| alone);
    let lines = match &scaler {
        Some(scaler) => format!("{name} = {}().fit_transform({name})", scaler.text),
        None if alone => format!("{name} = ({name} - {name}.mean({axis})) / {name}.std({axis})"),
        None => {
            let (mean, std) = (free(&place.source, "y_mean"), free(&place.source, "y_std"));
            let scaled = place.each(|name| format!("({name} - {mean}) / {std}"));
            format!("{mean}, {std} = {name}.mean({axis}), {name}.std({axis})\n{scaled}")
        }
    };
    let mut edits = vec![after(&place.source, place.after, &lines)];
    edits.extend(scaler.and_then(|scaler| scaler.import));
    let mut scaled = part(
        "Standardise the targets",
        Kind::DataOther,
        place.source.path,
        place.value,
        edits,
        prior,
    );
    scaled.aspect = Aspect::Targets;
    vec![scaled]
}
