//! # missing-return-sequences (DL608)
//!
//! ## What it does
//! Finds recurrent layers that give only their last step to a layer that needs all of them.
//!
//! ## Why it matters
//! Without `return_sequences=True` a recurrent layer gives one vector per sample. The next recurrent layer, convolution
//! or pooling over time needs a sequence and raises `expected ndim=3, found ndim=2`.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.LSTM(64), layers.LSTM(32), layers.Dense(1)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.LSTM(64, return_sequences=True), layers.LSTM(32), layers.Dense(1)])
//! ```
//!
//! ## Fix safety
//! Safe: nothing else makes the two layers fit.
//!
//! ## References
//! - Measured on Keras 3.15.1

use finding::{Applicability, Finding, Kind, RuleInfo, Severity};
use program::{Call, Program, Value};

use crate::context::{Context, Given, given};
use crate::read::{is_passive, is_recurrent};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL608",
    name: "missing-return-sequences",
    kind: Kind::Shape,
    severity: Severity::Error,
    source: include_str!("missing_return_sequences.rs"),
};

/// Layers that need a sequence.
const NEED_SEQUENCES: [&str; 12] = [
    "LSTM",
    "GRU",
    "SimpleRNN",
    "Bidirectional",
    "TimeDistributed",
    "Conv1D",
    "SeparableConv1D",
    "MaxPooling1D",
    "AveragePooling1D",
    "GlobalMaxPooling1D",
    "GlobalAveragePooling1D",
    "UpSampling1D",
];

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chain in &context.chains {
        for (index, call) in chain.layers.iter().enumerate() {
            let next = chain
                .layers
                .iter()
                .skip(index + 1)
                .find(|next| !is_passive(next) && !next.class().ends_with("Normalization"));
            let Some(next) = next.filter(|next| NEED_SEQUENCES.contains(&next.class())) else {
                continue;
            };
            let Some(recurrent) = recurrent(context.program, call) else {
                continue;
            };
            let (place, edit) = match given(recurrent, "return_sequences") {
                Given::Absent => (
                    call.range,
                    context.append_argument(recurrent, "return_sequences=True"),
                ),
                Given::Value(value) if value.value == Value::Bool(false) => {
                    (value.range, Some((value.origin, "True".to_owned())))
                }
                _ => continue,
            };
            let message = format!(
                "this {} gives only its last step, but the {} behind it needs the whole sequence and raises an exception; pass \
                 `return_sequences=True`",
                recurrent.class(),
                next.class()
            );
            let fix = edit
                .map(|edit| context.fix_all("Return the whole sequence", Applicability::Safe, vec![edit]));
            findings.push(Finding {
                confidence: 0.97,
                layer: context.layer(chain.model, chain.position(index)),
                fixes: fix.into_iter().collect(),
                ..context.finding(&INFO, place, message)
            });
        }
    }
    findings
}

/// The recurrent layer itself, also inside a Bidirectional.
pub(super) fn recurrent<'a>(program: &'a Program, call: &'a Call) -> Option<&'a Call> {
    if call.class() == "Bidirectional" {
        let Value::Call(inner) = call.argument("layer")?.value.value else {
            return None;
        };
        let inner = program.call(inner);
        return is_recurrent(inner).then_some(inner);
    }
    is_recurrent(call).then_some(call)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.LSTM(8, return_sequences=True), L.LSTM(8), L.Dense(1)"),
            layers("L.LSTM(8), L.RepeatVector(3), L.LSTM(8, return_sequences=True), L.Dense(1)"),
            layers("L.LSTM(8, return_sequences=r), L.LSTM(8), L.Dense(1)"),
            layers("L.LSTM(8), L.Dense(1)"),
        ];
        let fail = [
            (
                layers("L.LSTM(8), L.Dropout(0.2), L.GRU(8), L.Dense(1)"),
                "L.LSTM(8)",
            ),
            (
                layers("L.Bidirectional(L.LSTM(8)), L.LSTM(8), L.Dense(1)"),
                "L.Bidirectional(L.LSTM(8))",
            ),
            (
                layers("L.LSTM(8, return_sequences=False), L.LSTM(8), L.Dense(1)"),
                "False",
            ),
        ];
        let fix = [(
            layers("L.Bidirectional(L.LSTM(8)), L.LSTM(8), L.Dense(1)"),
            layers("L.Bidirectional(L.LSTM(8, return_sequences=True)), L.LSTM(8), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
