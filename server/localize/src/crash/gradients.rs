//! The optimizer got no gradient for any weight: nothing may learn, or the loss does not follow from the predictions.

use finding::Kind;
use trace::{ExceptionMessage, Fit};

use super::blame::{At, Explained};
use crate::place::Place;

/// What Keras says where no weight has a gradient, and where there is no weight to have one.
const WORDS: [&str; 3] = [
    "No gradients provided for any variable",
    "No variables to train",
    "does not require grad",
];

pub(super) fn no_gradients<'a>(
    exception: &'a ExceptionMessage,
    text: &str,
    fit: Option<&'a Fit>,
) -> Option<Explained<'a>> {
    let fit = fit.filter(|_| WORDS.iter().any(|words| exception.message.contains(words)))?;
    // Keras lists every variable after the first sentence.
    let said = text.split([':', '.']).next().unwrap_or(text);
    let weights = || fit.info.layers.iter().flat_map(|layer| &layer.weights);
    let (kind, place, message) = if weights().next().is_none() {
        (
            Kind::MissingLayer,
            None,
            format!(
                "no layer of the model has weights, so there is nothing to train ({said}); it needs layers that learn, such as Dense"
            ),
        )
    } else if !weights().any(|weight| weight.trainable) {
        (
            Kind::ApiMisuse,
            Some(At::Place(Place::Frozen)),
            format!(
                "every layer of the model is frozen (`trainable` is False), so there is nothing to train ({said}); leave the layers \
                 trainable that are to learn, the last ones at least"
            ),
        )
    } else {
        let loss = fit.info.loss.as_ref().map_or("", |loss| loss.name.as_str());
        (
            Kind::Loss,
            Some(At::Place(Place::Loss)),
            format!(
                "the loss `{loss}` has no gradient with respect to any weight ({said}): it does not follow from the predictions, or only \
                 through operations without a gradient (`round`, `argmax`, `sign`, comparisons, NumPy). Compute it from the \
                 predicted values themselves"
            ),
        )
    };
    Some(Explained {
        kind,
        place,
        layer: None,
        message,
        fix: None,
    })
}
