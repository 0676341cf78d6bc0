//! Outputs with more axes than the labels: which layer has let them through.

use finding::Kind;
use trace::LayerInfo;

use crate::place::Place;

/// What to mend.
#[derive(Clone, Debug)]
pub(crate) struct Culprit {
    pub place: Place,
    pub kind: Kind,
    pub layer: usize,
    /// What is wrong with the layer and what to do, to follow its name.
    pub message: String,
}

const RECURRENT: [&str; 4] = ["LSTM", "GRU", "SimpleRNN", "Bidirectional"];
/// Layers that give an axis of positions or steps.
const SPREADING: [&str; 6] = [
    "Conv",
    "Pooling",
    "Embedding",
    "UpSampling",
    "ZeroPadding",
    "Cropping",
];
/// Layers that leave the axes before the last one as they are.
const KEEPING: [&str; 11] = [
    "Dense",
    "Activation",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "Softmax",
    "Dropout",
    "SpatialDropout1D",
    "BatchNormalization",
    "LayerNormalization",
];

/// The layer at fault, when the axes come from a recurrent layer that returns every step, or from a map that nothing flattens.
pub(crate) fn culprit(layers: &[LayerInfo]) -> Option<Culprit> {
    let last = layers
        .iter()
        .rposition(|layer| !KEEPING.contains(&layer.class.as_str()))?;
    let (source, dense) = (
        &layers[last],
        layers[last + 1..]
            .iter()
            .position(|layer| layer.class == "Dense")?,
    );
    // The layer that Bidirectional wraps has its configuration under the wrapper's `layer`.
    let returns = ["return_sequences", "layer.return_sequences"]
        .iter()
        .find_map(|key| source.config.get(*key)?.as_bool());
    if RECURRENT.contains(&source.class.as_str()) && returns == Some(true) {
        return Some(Culprit {
            place: Place::LayerArgument(source.index, "return_sequences"),
            kind: Kind::Shape,
            layer: source.index,
            message: format!(
                "{} gives its output at every step; leave `return_sequences` at False in the last recurrent layer",
                source.name
            ),
        });
    }
    if !SPREADING.iter().any(|part| source.class.contains(part)) || source.class.starts_with("Global") {
        return None;
    }
    let before = &layers[last + dense];
    Some(Culprit {
        place: Place::Layer(before.index),
        kind: Kind::MissingLayer,
        layer: before.index,
        message: format!(
            "the map that comes out of {} reaches {} as it is; put `Flatten()` or a global pooling after it",
            before.name,
            layers[last + 1 + dense].name
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn layers(classes: &[&str]) -> Vec<LayerInfo> {
        let layer = |(index, class): (usize, &&str)| LayerInfo {
            index,
            name: class.to_lowercase(),
            class: (*class).to_owned(),
            config: match *class {
                "Bidirectional" => [
                    ("layer".to_owned(), json!("LSTM")),
                    ("layer.return_sequences".to_owned(), json!(true)),
                ]
                .into(),
                _ => [("return_sequences".to_owned(), json!(true))].into(),
            },
            ..LayerInfo::default()
        };
        classes.iter().enumerate().map(layer).collect()
    }

    #[test]
    fn the_layer_after_which_one_is_missing() {
        let found = culprit(&layers(&["Conv2D", "MaxPooling2D", "Dropout", "Dense", "Dense"]));
        assert_eq!(
            found.map(|culprit| (culprit.kind, culprit.layer)),
            Some((Kind::MissingLayer, 2))
        );
        let found = culprit(&layers(&["Embedding", "Dense"]));
        assert_eq!(found.map(|culprit| culprit.layer), Some(0));
    }

    #[test]
    fn the_recurrent_layer_that_returns_every_step() {
        let found = culprit(&layers(&["Embedding", "LSTM", "Dropout", "Dense"]));
        assert_eq!(
            found.map(|culprit| (culprit.kind, culprit.layer)),
            Some((Kind::Shape, 1))
        );
        let found = culprit(&layers(&["Embedding", "Bidirectional", "Dense"]));
        assert_eq!(found.map(|culprit| culprit.layer), Some(1));
        assert!(culprit(&layers(&["Conv2D", "Flatten", "Dense"])).is_none());
        assert!(culprit(&layers(&["Conv2D", "GlobalAveragePooling2D", "Dense"])).is_none());
        assert!(culprit(&layers(&["Dense", "Dense"])).is_none());
    }
}
