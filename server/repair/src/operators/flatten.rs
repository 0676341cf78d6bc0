//! `Flatten` instead of a pooling over all positions: what is pooled away is where something was seen.

use finding::Kind;

use super::part;
use crate::candidate::Part;
use crate::facts::Facts;
use crate::names::of_keras;

/// Values per sample up to which they are all kept: a dense layer behind them has a weight for each.
const MOST: i64 = 20_000;

pub(super) fn propose(facts: &Facts<'_>) -> Vec<Part> {
    let layers = facts.layers();
    let pooled = |(before, layer): (&trace::LayerInfo, &trace::LayerInfo)| {
        let all_positions =
            layer.class.starts_with("GlobalAveragePooling") || layer.class.starts_with("GlobalMaxPooling");
        if !all_positions || !facts.alone(layer) {
            return None;
        }
        let sizes: Option<Vec<i64>> = before.output_shape.as_ref()?.iter().skip(1).copied().collect();
        let values = sizes?.iter().product::<i64>();
        let spot = facts.layer(layer)?;
        let named = |argument: &program::Argument| argument.name.as_deref() == Some("name");
        if values > MOST || !spot.call.arguments.iter().all(named) {
            return None;
        }
        let name = of_keras(&spot.source, "layers", "Flatten")?;
        let mut edits = vec![spot.edit(spot.call.range, format!("{}()", name.text))];
        edits.extend(name.import);
        let title = "Keep the positions: flatten instead of pooling over all of them";
        Some(part(
            title,
            Kind::RedundantLayer,
            spot.source.path,
            spot.call.range,
            edits,
            0.3,
        ))
    };
    layers
        .iter()
        .zip(layers.iter().skip(1))
        .find_map(pooled)
        .into_iter()
        .collect()
}
