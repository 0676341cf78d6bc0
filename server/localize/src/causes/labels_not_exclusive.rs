//! # labels-not-exclusive (DL703)
//!
//! ## What it does
//! Reports a softmax output trained on labels that may hold several 1s in a row (multi-label data).
//!
//! ## Why it matters
//! Softmax makes its units compete: they always sum to 1, so no two labels can both be predicted with certainty, and a row
//! without any label cannot be predicted at all. The network settles between the labels.
//!
//! ## Example
//! ```python
//! x, y = make_multilabel_classification(n_classes=3)
//! model.add(Dense(3, activation="softmax"))
//! model.compile(loss="categorical_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! x, y = make_multilabel_classification(n_classes=3)
//! model.add(Dense(3, activation="sigmoid"))
//! model.compile(loss="binary_crossentropy")
//! ```
//!
//! ## Fix safety
//! Unsafe: sigmoid outputs are independent probabilities, so code that takes the argmax of the prediction has to change.
//!
//! ## References
//! DL Contract (FSE 2023), output table (multi-label: sigmoid with binary cross-entropy);
//! case 38648195 of the DeepLocalize benchmark.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, Remedy};
use crate::case::Case;
use crate::data;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL703",
    name: "labels-not-exclusive",
    kind: Kind::OutputActivation,
    severity: Severity::Error,
    source: include_str!("labels_not_exclusive.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let (Some(y), Some(head)) = (case.fit.y(), case.head()) else { return Vec::new() };
    if head.activation.as_deref() != Some("softmax") || !data::multi_hot(y) || y.row_sum_max <= 1.0 {
        return Vec::new();
    }
    let columns = data::columns(y);
    let message = format!(
        "softmax makes the {columns} outputs compete for a sum of 1, but rows of the labels hold up to {} ones at once; use \
         sigmoid, which judges each label by itself, with binary cross-entropy",
        number(y.row_sum_max)
    );
    // Categorical cross-entropy with k-hot rows is a known, if unusual, way to train on tags.
    let certain = !case.loss_name().contains("categorical");
    let mut cause = Cause::new(&INFO, Place::Activation(head.index), if certain { 0.95 } else { 0.85 }, message)
        .severity(if certain { Severity::Error } else { Severity::Warning })
        .layer(head.index)
        .seen(
            Phase::Data,
            format!("rows of the labels sum to {} … {}, the outputs always to 1", number(y.row_sum_min), number(y.row_sum_max)),
        )
        .remedy(Remedy::Argument {
            title: "Use a sigmoid output".into(),
            keyword: "activation",
            text: "\"sigmoid\"".into(),
        })
        .settled();
    let learning = case.learning();
    if let (Some(hits), Some(majority)) = (learning.hits, learning.majority) {
        cause = cause.seen(
            Phase::Metric,
            format!("share of right labels {} (always the same answer: {})", number(hits), number(majority)),
        );
    }
    vec![cause]
}
