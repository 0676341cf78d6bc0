//! What the message about a training says of its model.

use crate::{FitMessage, LayerInfo};

/// Layers that pass on what they get, at most dropped out or in another shape.
const PASSIVE: [&str; 6] = [
    "Dropout",
    "Flatten",
    "Reshape",
    "Permute",
    "GaussianNoise",
    "ActivityRegularization",
];

impl FitMessage {
    /// Name of the loss; empty when it is not known.
    pub fn loss_name(&self) -> &str {
        self.loss.as_ref().map_or("", |loss| loss.name.as_str())
    }

    /// The layer whose activation shapes the output: the last one that applies an activation. `None` when the model
    /// has several outputs or ends in something that is not understood.
    pub fn head(&self) -> Option<&LayerInfo> {
        if self.data.y.len() > 1 {
            return None;
        }
        let computes = |layer: &&LayerInfo| !PASSIVE.contains(&layer.class.as_str());
        let last = self.layers.iter().rfind(computes)?;
        last.activation.as_ref().map(|_| last)
    }

    /// Units of the output.
    pub fn output_units(&self) -> Option<i64> {
        self.layers
            .last()?
            .output_shape
            .as_ref()?
            .last()
            .copied()
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_head_is_the_last_layer_that_computes() {
        let model = |last: &str| -> FitMessage {
            let layer = |index: usize, class: &str, activation: Option<&str>| {
                json!({"index": index, "name": class, "class": class, "activation": activation, "trainable": true,
                       "output_shape": [null, 3], "weights": []})
            };
            let layers = [layer(0, "Dense", Some("softmax")), layer(1, last, None)];
            serde_json::from_value(json!({"fit": 0, "call": "fit", "layers": layers})).unwrap()
        };
        let head = |last: &str| model(last).head().map(|layer| layer.index);
        assert_eq!(head("ActivityRegularization"), Some(0));
        assert_eq!(head("Dropout"), Some(0));
        assert_eq!(head("Lambda"), None);
        assert_eq!(model("Dropout").output_units(), Some(3));
        assert_eq!(model("Dropout").loss_name(), "");
    }
}
