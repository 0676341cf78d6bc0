//! # unbounded-recurrent-activation (DL206)
//!
//! ## What it does
//! Finds LSTM, GRU and SimpleRNN layers whose activation is not bounded (relu, linear and their like).
//!
//! ## Why it matters
//! A recurrent layer applies its activation once per time step. Unbounded, the state can grow from step to step and end
//! in NaN on longer sequences; LSTM and GRU also lose their fast GPU kernel, which exists for tanh only.
//!
//! ## Example
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.LSTM(32, activation="relu"), layers.Dense(1)])
//! ```
//!
//! ## Use instead
//! ```python
//! import keras
//! from keras import layers
//! model = keras.Sequential([layers.LSTM(32), layers.Dense(1)])
//! ```
//!
//! ## Fix safety
//! Unsafe: results change. On short, scaled sequences relu may do well.
//!
//! ## References
//! - `keras.layers.LSTM`: requirements of the cuDNN kernel
//! - Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks, ICML 2013

use crate::context::Context;
use crate::read::{Head, is_recurrent};
use finding::{Applicability, Finding, Kind, RuleInfo, Severity};

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL206",
    name: "unbounded-recurrent-activation",
    kind: Kind::HiddenActivation,
    severity: Severity::Hint,
    source: include_str!("unbounded_recurrent_activation.rs"),
};

pub(crate) fn check(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for call in context.program.calls.iter().filter(|call| is_recurrent(call)) {
        let Some(head) = Head::of_layer(context.program, call) else {
            continue;
        };
        let unbounded = matches!(
            head.activation,
            "linear" | "relu" | "elu" | "selu" | "leaky_relu" | "exponential"
        );
        let Some(place) = head.place.filter(|_| unbounded) else {
            continue;
        };
        let message = format!(
            "{} applies {} at every time step, so its state can grow without bound on longer sequences, and the fast GPU \
             kernel is not used; the default, tanh, has neither problem",
            call.class(),
            head.activation
        );
        let edit = context.replace_name(place, head.activation, "tanh");
        let fix = edit.map(|(range, text)| context.fix("Use tanh", Applicability::Unsafe, range, text));
        findings.push(Finding {
            confidence: 0.5,
            fixes: fix.into_iter().collect(),
            ..context.finding(&INFO, place, message)
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layers;

    #[test]
    fn tables() {
        let pass = [
            layers("L.LSTM(8), L.Dense(1)"),
            layers("L.GRU(8, activation='tanh'), L.Dense(1)"),
            layers("L.LSTM(8, activation=f), L.Dense(1)"),
        ];
        let fail = [
            (layers("L.LSTM(8, activation='relu'), L.Dense(1)"), "'relu'"),
            (layers("L.SimpleRNN(8, 'linear'), L.Dense(1)"), "'linear'"),
        ];
        let fix = [(
            layers("L.LSTM(8, activation='relu'), L.Dense(1)"),
            layers("L.LSTM(8, activation='tanh'), L.Dense(1)"),
        )];
        crate::testing::check(&INFO, &pass, &fail, &fix);
    }
}
