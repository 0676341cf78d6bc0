//! # padding-behind (DL462)
//!
//! ## What it does
//! Finds sequences that are padded at their end (`pad_sequences(..., padding="post")`, `TextVectorization`) and go through an
//! `Embedding` without `mask_zero=True` into a recurrent layer of which only the last output is used.
//!
//! ## Why it matters
//! Without a mask the padding is input like any other: after a short sequence the layer takes step after step of it, and
//! its last output has forgotten what came before. How much that harms depends on how much padding there is.
//!
//! ## Example
//! ```python
//! from tensorflow import keras
//! from tensorflow.keras import layers
//! x = keras.preprocessing.sequence.pad_sequences(sequences, maxlen=200, padding="post")
//! model = keras.Sequential([layers.Embedding(5000, 32), layers.LSTM(32), layers.Dense(1, activation="sigmoid")])
//! ```
//!
//! ## Use instead
//! ```python
//! from tensorflow import keras
//! from tensorflow.keras import layers
//! x = keras.preprocessing.sequence.pad_sequences(sequences, maxlen=200, padding="post")
//! model = keras.Sequential([layers.Embedding(5000, 32, mask_zero=True), layers.LSTM(32), layers.Dense(1, activation="sigmoid")])
//! ```
//!
//! ## Fix safety
//! Unsafe: number 0 must stand for padding and for no word.
//!
//! ## References
//! - Keras guide "Understanding masking and padding"
//! - Dwarampudi, Reddy: Effects of padding on LSTMs and CNNs, 2019

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Call, Value};

use crate::context::{Context, Given, given};
use crate::read::{is_passive, is_recurrent};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL462",
    name: "padding-behind",
    kind: Kind::DataOther,
    severity: Severity::Information,
    source: include_str!("padding_behind.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let masks = ["mask=", "Masking(", "compute_mask", "ragged", "to_tensor("];
    if !pads_behind(context) || masks.iter().any(|mask| context.text.contains(mask)) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, embedding) in chain.layers.iter().enumerate() {
            if embedding.class() != "Embedding" || !is_off(embedding, "mask_zero") {
                continue;
            }
            let mut next = chain.working_from(index + 1).skip_while(|call| {
                is_recurrent(call) && is_on(call, "return_sequences") && is_off(call, "go_backwards")
            });
            let Some(last) = next.next().filter(|call| is_recurrent(call)) else {
                continue;
            };
            if !is_off(last, "return_sequences") || !is_off(last, "go_backwards") || is_passive(last) {
                continue;
            }
            let message = format!(
                "sequences are padded at their end, and without `mask_zero=True` the padding is input like any other: after a short \
                 sequence `{}` ends on padding and its last output has forgotten the rest. Mask the padding, or put it in front",
                last.class()
            );
            let fix = context
                .append_argument(embedding, "mask_zero=True")
                .map(|(range, text)| context.fix("Mask the padding", Applicability::Unsafe, range, text));
            findings.push(Finding {
                confidence: 0.6,
                layer: context.layer(chain.model, chain.position(index)),
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, embedding.range, message)
            });
        }
    }
    findings
}

/// Whether all sequences of the script are padded at their end.
fn pads_behind(context: &Context<'_>) -> bool {
    let mut pads = context
        .program
        .calls
        .iter()
        .filter_map(|call| match call.callee.as_str() {
            "keras.utils.pad_sequences" => {
                let padding = call.argument("padding").map(|padding| &padding.value.value);
                Some(matches!(padding, Some(Value::Str(padding)) if padding == "post"))
            }
            "keras.layers.TextVectorization" => Some(call.argument("output_sequence_length").is_some()),
            _ => None,
        });
    let first = pads.next() == Some(true);
    first && pads.all(|behind| behind)
}

fn is_off(call: &Call, name: &str) -> bool {
    match given(call, name) {
        Given::Absent => true,
        Given::Value(value) => value.value == Value::Bool(false),
        Given::Unknown => false,
    }
}

fn is_on(call: &Call, name: &str) -> bool {
    matches!(given(call, name), Given::Value(value) if value.value == Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(padding: &str, layers: &str) -> String {
        format!(
            "from tensorflow import keras\nfrom tensorflow.keras import layers as L\nfrom tensorflow.keras.preprocessing.sequence import pad_sequences\n\
             x = {padding}\nm = keras.Sequential([{layers}, L.Dense(1, activation='sigmoid')])\n"
        )
    }

    #[test]
    fn tables() {
        let post = "pad_sequences(s, maxlen=99, padding='post')";
        let pass = [
            script("pad_sequences(s, maxlen=99)", "L.Embedding(9, 4), L.LSTM(8)"),
            script("pad_sequences(s, padding=p)", "L.Embedding(9, 4), L.LSTM(8)"),
            script(post, "L.Embedding(9, 4, mask_zero=True), L.LSTM(8)"),
            script(post, "L.Embedding(9, 4), L.Bidirectional(L.LSTM(8))"),
            script(
                post,
                "L.Embedding(9, 4), L.LSTM(8, return_sequences=True), L.GlobalMaxPooling1D()",
            ),
            script(post, "L.Embedding(9, 4), L.GRU(8, go_backwards=True)"),
            script(post, "L.Embedding(9, 4), L.GlobalAveragePooling1D()"),
            script(post, "L.Embedding(9, 4), L.Masking(), L.LSTM(8)"),
        ];
        let fail = [
            (script(post, "L.Embedding(9, 4), L.LSTM(8)"), "L.Embedding(9, 4)"),
            (
                script(
                    "L.TextVectorization(max_tokens=9, output_sequence_length=99)(s)",
                    "L.Embedding(9, 4), L.Dropout(0.1), L.GRU(8)",
                ),
                "L.Embedding(9, 4)",
            ),
            (
                script(
                    post,
                    "L.Embedding(9, 4), L.LSTM(8, return_sequences=True), L.SimpleRNN(8)",
                ),
                "L.Embedding(9, 4)",
            ),
        ];
        let fix = [(
            script(post, "L.Embedding(9, 4), L.LSTM(8)"),
            script(post, "L.Embedding(9, 4, mask_zero=True), L.LSTM(8)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
