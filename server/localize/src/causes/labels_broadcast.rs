//! # labels-broadcast (DL707)
//!
//! ## What it does
//! Reports labels whose shape does not pair with the output's, so that the loss compares every label with every
//! prediction, or one label with all outputs of a sample. Numbers of classes under a softmax of as many units are right
//! labels for another loss, and there the finding stands on the loss.
//!
//! ## Why it matters
//! NumPy's broadcasting makes a table of (N, 1) against (1, N), and one number against several outputs. The loss is
//! finite and falls, but its best answer is the mean of the labels: the network learns a constant.
//!
//! ## Example
//! ```python
//! model.add(Dense(3, activation="softmax"))
//! model.compile(loss="mse")
//! model.fit(x, iris.target)      # (150,): one number for three outputs
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dense(3, activation="softmax"))
//! model.compile(loss="categorical_crossentropy")
//! model.fit(x, to_categorical(iris.target))
//! ```
//!
//! ## Fix safety
//! No automatic fix: whether labels are to be encoded or the output reshaped depends on what is meant.
//!
//! ## References
//! Shape mismatches in the taxonomy of Humbatova et al. (ICSE 2020). Exact: shapes are compared, no threshold.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, Remedy};
use crate::case::Case;
use crate::data;
use crate::extra_axis;
use crate::place::Place;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL707",
    name: "labels-broadcast",
    kind: Kind::LabelEncoding,
    severity: Severity::Error,
    source: include_str!("labels_broadcast.rs"),
};
const ELEMENTWISE: [&str; 9] = [
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "log_cosh",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "hinge",
];

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(y) = case.fit.y() else { return Vec::new() };
    if case.fit.info.data.y.len() != 1 {
        return Vec::new();
    }
    let Some(shape) = case.layers().last().and_then(|layer| layer.output_shape.as_ref()) else { return Vec::new() };
    let output: Vec<i64> = shape.iter().skip(1).map(|size| size.unwrap_or(-1)).collect();
    let labels: Vec<i64> = y.shape.iter().skip(1).copied().collect();
    if output.contains(&-1) || output.is_empty() || case.loss_name().is_empty() {
        return Vec::new();
    }
    let written = |shape: &[i64]| {
        let sizes: String = shape.iter().map(|size| format!(", {size}")).collect();
        format!("(batch{})", if sizes.is_empty() { "," } else { &sizes })
    };
    let (spread, values) = (output.iter().product::<i64>(), labels.iter().product::<i64>());
    let named = ELEMENTWISE.contains(&case.loss_name());
    // An axis too many, of steps or positions, where one answer is wanted.
    // A class number for every step is what a sparse loss takes.
    let each_step = case.loss_name().contains("sparse") && output.len() > 1 && output[..output.len() - 1] == labels[..];
    let deeper = output.len() > labels.len().max(1) && spread > values && !each_step;
    if let Some(culprit) = extra_axis::culprit(case.layers()).filter(|_| deeper) {
        let message = format!(
            "{} (outputs of shape {} stand against labels of shape {}: one label against all outputs of its sample)",
            culprit.message,
            written(&output),
            written(&labels),
        );
        return vec![broadcast(case, culprit.place, 0.94, message).kind(culprit.kind).layer(culprit.layer)];
    }
    if let Some(classes) = classes_against_softmax(case) {
        let message = format!(
            "the labels are the numbers of {classes} classes, but `{}` compares each with all {classes} outputs of the softmax, which \
             are probabilities; use sparse categorical cross-entropy",
            case.loss_name(),
        );
        let cause = broadcast(case, Place::Loss, 0.95, message).kind(Kind::Loss);
        return vec![cause.remedy(Remedy::Argument {
            title: "Use sparse categorical cross-entropy".into(),
            keyword: "loss",
            text: "\"sparse_categorical_crossentropy\"".into(),
        })];
    }
    if named && values == 1 && spread > 1 {
        let message = format!(
            "labels of shape {} are compared with outputs of shape {}: one number stands against all {spread} outputs of its \
             sample, so they all learn the same; encode the labels as the output does (one-hot for classes), or use a loss for \
             class numbers",
            written(&labels),
            written(&output),
        );
        return vec![broadcast(case, Place::Labels, 0.93, message)];
    }
    // Keras adds or removes one axis of length 1 by itself; a second one makes a table of all pairs.
    if values == spread && output.len() > labels.len() + 1 && !named && !case.loss_name().contains("crossentropy") && case.fails() {
        let last = case.layers().last().map_or(0, |layer| layer.index);
        let message = format!(
            "outputs of shape {} and labels of shape {} differ in rank, so the loss pairs every label with every prediction and \
             its best answer is their mean; give both the same shape",
            written(&output),
            written(&labels),
        );
        return vec![broadcast(case, Place::Layer(last), 0.85, message).kind(Kind::Shape).layer(last)];
    }
    Vec::new()
}

/// The number of classes, where a loss for numbers compares class numbers with the probabilities of as many classes.
pub(super) fn classes_against_softmax(case: &Case<'_>) -> Option<i64> {
    let classes = data::numbered_classes(case.fit.y()?)?;
    let softmax = case.head()?.activation.as_deref() == Some("softmax");
    let against = softmax && case.output_units() == Some(classes) && ELEMENTWISE.contains(&case.loss_name());
    against.then_some(classes)
}

fn broadcast(case: &Case<'_>, place: Place, confidence: f64, message: String) -> Cause {
    let cause = Cause::new(&INFO, place, confidence, message).settled();
    match case.loss_story() {
        // No step came about.
        story if story.is_empty() => cause,
        story => cause.seen(Phase::Loss, format!("loss {story}")),
    }
}
