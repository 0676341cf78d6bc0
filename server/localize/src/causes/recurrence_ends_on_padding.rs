//! # recurrence-ends-on-padding (DL760)
//!
//! ## What it does
//! Reports a recurrent layer of which only the last output is used and that reads sequences which end on padding, without a mask,
//! in a network that does not learn.
//!
//! ## Why it matters
//! Zeros behind a sequence are steps like any other. After many of them the state of the layer depends on the padding alone,
//! and the gradient hardly reaches the words.
//!
//! ## Example
//! ```python
//! x = pad_sequences(sequences, maxlen=200, padding="post")
//! model.add(Embedding(5000, 32))
//! model.add(LSTM(32))
//! ```
//!
//! ## Use instead
//! ```python
//! x = pad_sequences(sequences, maxlen=200, padding="post")
//! model.add(Embedding(5000, 32, mask_zero=True))
//! model.add(LSTM(32))
//! ```
//!
//! ## Fix safety
//! Unsafe: number 0 must stand for padding and for no word.
//!
//! ## References
//! Keras guide "Understanding masking and padding". Here: at least a third of all positions are zeros at the end of their row.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::LayerInfo;

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL760",
    name: "recurrence-ends-on-padding",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("recurrence_ends_on_padding.rs"),
};

/// Share of the positions from which padding is more than a few steps.
const MUCH: f64 = 1.0 / 3.0;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if !matches!(suspects::failure(case), Some(suspects::Failure::Stuck | suspects::Failure::Lags)) {
        return Vec::new();
    }
    let shares = case.fit.info.data.x.iter().map(|x| x.trailing_zeros);
    let Some(share) = shares.filter(|share| *share >= MUCH).reduce(f64::max) else { return Vec::new() };
    let masks = case.layers().iter().any(|layer| matches!(layer.class.as_str(), "Masking" | "Bidirectional"));
    let is_off = |layer: &LayerInfo, key: &str| layer.config.get(key).and_then(serde_json::Value::as_bool) != Some(true);
    let Some(embedding) = case.layers().iter().find(|layer| layer.class == "Embedding" && is_off(layer, "mask_zero")) else {
        return Vec::new();
    };
    let recurrent = |layer: &&LayerInfo| matches!(layer.class.as_str(), "LSTM" | "GRU" | "SimpleRNN");
    let Some(last) = case.layers().iter().rfind(recurrent).filter(|layer| {
        let vector = layer.output_shape.as_ref().is_none_or(|shape| shape.len() == 2);
        layer.index > embedding.index && vector && is_off(layer, "return_sequences") && is_off(layer, "go_backwards")
    }) else {
        return Vec::new();
    };
    if masks {
        return Vec::new();
    }
    let message = format!(
        "{} of what {} reads is padding behind the sequences, and {} does not mask it: the last output, which alone is used, \
         depends on the padding and has forgotten the rest. Mask it, or pad in front",
        percent(share),
        last.name,
        embedding.name
    );
    vec![
        Cause::new(&INFO, Place::Layer(embedding.index), 0.9, message)
            .layer(embedding.index)
            .seen(Phase::Data, format!("{} of all positions are zeros at the end of their row", percent(share)))
            .seen(Phase::Metric, suspects::stuck_text(case))
            .remedy(Remedy::Argument {
                title: "Mask the padding".into(),
                keyword: "mask_zero",
                text: "True".into(),
            }),
    ]
}
