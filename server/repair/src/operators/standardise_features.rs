//! Brings every feature to mean 0 and standard deviation 1: with a fitted `StandardScaler` where the script uses
//! scikit-learn, else with NumPy.

use finding::Kind;

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;
use crate::flow::scalable;
use crate::names::{after, free, of_numpy, of_sklearn};

/// Root mean square, offset and ratio of scales from which features look as if they should be scaled.
const LARGE: f64 = 10.0;

/// Ratios of the largest value to the smallest and to the mean from which logarithms say more.
const DECADES: f64 = 1000.0;
const SKEWED: f64 = 4.0;

/// How plausible it is that features must be scaled, by the look of them.
pub(super) fn unscaled(facts: &Facts<'_>) -> Option<f64> {
    let x = facts.x()?;
    let looked_up = facts
        .layers()
        .first()
        .is_some_and(|layer| layer.class == "Embedding");
    let scaled = facts
        .layers()
        .first()
        .is_some_and(|layer| layer.class == "Normalization");
    if !x.std.is_finite() || x.std == 0.0 || looked_up || scaled || x.zero_one {
        return None;
    }
    let rms = x.mean.hypot(x.std);
    let uneven = x.feature_std_max / x.feature_std_min;
    if rms > LARGE || (x.offset_ratio > LARGE && x.feature_absmean_max > LARGE) {
        Some(0.8)
    } else if rms > 3.0 || (uneven > 30.0 && x.feature_std_max > 3.0) || rms < 0.03 {
        Some(0.5)
    } else if rms > 1.5 || x.offset_ratio > 3.0 || rms < 0.2 {
        Some(0.25)
    } else {
        None
    }
}

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let (Some(x), Some(prior)) = (facts.x(), unscaled(facts)) else {
        return Vec::new();
    };
    let Some(place) = scalable(facts, "x") else {
        return Vec::new();
    };
    let flat = x.shape.len() == 2;
    let scaler = of_sklearn(&place.source, "preprocessing", "StandardScaler").filter(|_| flat);
    let name = place.name;
    let alone = place.held_out.is_empty();
    let free = |wanted: &str| free(&place.source, wanted);
    let mut edits = Vec::new();
    let lines = match &scaler {
        Some(scaler) if alone => format!("{name} = {}().fit_transform({name})", scaler.text),
        Some(scaler) => {
            let fitted = free("scaler");
            let scaled = place.each(|name| format!("{fitted}.transform({name})"));
            format!("{fitted} = {}().fit({name})\n{scaled}", scaler.text)
        }
        None => {
            let axis = if flat { "axis=0" } else { "" };
            // A feature that never varies has a standard deviation of 0.
            let deviation = match x.constant_features {
                0 => format!("{name}.std({axis})"),
                _ => format!("({name}.std({axis}) + 1e-8)"),
            };
            if alone {
                format!("{name} = ({name} - {name}.mean({axis})) / {deviation}")
            } else {
                let (mean, std) = (free("mean"), free("std"));
                let scaled = place.each(|name| format!("({name} - {mean}) / {std}"));
                format!("{mean}, {std} = {name}.mean({axis}), {deviation}\n{scaled}")
            }
        }
    };
    edits.push(after(&place.source, place.after, &lines));
    edits.extend(scaler.and_then(|scaler| scaler.import));
    let mut parts = vec![part(
        "Standardise the features",
        Kind::InputScale,
        place.source.path,
        place.value,
        edits,
        prior,
    )];
    // Features of many decades: of most of them nothing is left on a linear scale.
    let decades = x.min > 0.0 && x.max > DECADES * x.min && x.max > SKEWED * x.mean;
    if let Some(numpy) = of_numpy(&place.source).filter(|_| decades && alone) {
        let axis = if flat { "axis=0" } else { "" };
        let lines = format!(
            "{name} = {numpy}.log({name})\n{name} = ({name} - {name}.mean({axis})) / {name}.std({axis})"
        );
        parts.push(part(
            "Standardise the logarithms of the features",
            Kind::InputScale,
            place.source.path,
            place.value,
            vec![after(&place.source, place.after, &lines)],
            prior - 0.1,
        ));
    }
    parts
}
