//! # network-linear (DL717)
//!
//! ## What it does
//! Reports a network of several layers without any non-linear activation between them, when it does not learn.
//!
//! ## Why it matters
//! A linear map of a linear map is one linear map: all layers together can do no more than a single one. XOR, circles, images
//! and most tasks a deep network is chosen for are out of its reach.
//!
//! ## Example
//! ```python
//! model.add(Dense(64))
//! model.add(Dense(1, activation="sigmoid"))
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dense(64, activation="relu"))
//! model.add(Dense(1, activation="sigmoid"))
//! ```
//!
//! ## Fix safety
//! Unsafe: another network is trained.
//!
//! ## References
//! NeuraLint (TOSEM 2022), learning layer without non-linearity; UMLAUT (CHI 2021), hidden layer without activation. Both
//! report it always; a linear network that learns (a linear task) is left alone here.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL717",
    name: "network-linear",
    kind: Kind::HiddenActivation,
    severity: Severity::Warning,
    source: include_str!("network_linear.rs"),
};
/// Layers that are linear when they have no activation.
const LINEAR: [&str; 8] = [
    "Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2D", "SeparableConv2D", "EinsumDense", "Conv2DTranspose",
];

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if !case.fails() {
        return Vec::new();
    }
    let weighted: Vec<_> = case.weighted().collect();
    let all_linear = weighted.iter().all(|layer| LINEAR.contains(&layer.class.as_str()));
    if weighted.len() < 2 || !all_linear || case.hidden_activations().next().is_some() {
        return Vec::new();
    }
    let hidden = weighted[0];
    let message = format!(
        "no layer between input and output applies a non-linear activation, so the {} layers together are one linear map, which \
         cannot fit this data; use relu in the hidden layers",
        weighted.len()
    );
    vec![
        Cause::new(&INFO, Place::Activation(hidden.index), 0.7, message)
            .layer(hidden.index)
            .seen(Phase::Metric, suspects::stuck_text(case))
            .remedy(Remedy::Argument { title: "Use relu".into(), keyword: "activation", text: "\"relu\"".into() }),
    ]
}
