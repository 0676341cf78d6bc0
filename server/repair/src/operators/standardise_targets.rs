//! Brings the targets of a regression to mean 0 and standard deviation 1.

use finding::Kind;

use super::part;
use crate::candidate::{Aspect, Part};
use crate::facts::{Facts, Labels};
use crate::flow::scalable;
use crate::names::{after, of_sklearn};

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
    let mut lines = match &scaler {
        Some(scaler) if place.held_out.is_none() => {
            format!("{name} = {}().fit_transform({name})", scaler.text)
        }
        _ => format!("{name} = ({name} - {name}.mean({axis})) / {name}.std({axis})"),
    };
    if let Some(test) = place.held_out {
        lines = format!(
            "y_mean, y_std = {name}.mean({axis}), {name}.std({axis})\n\
             {name}, {test} = ({name} - y_mean) / y_std, ({test} - y_mean) / y_std"
        );
    }
    let mut edits = vec![after(&place.source, place.after, &lines)];
    edits.extend(
        scaler
            .filter(|_| place.held_out.is_none())
            .and_then(|scaler| scaler.import),
    );
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
