//! # labels-outside-loss (DL702)
//!
//! ## What it does
//! Reports labels that the chosen loss is not defined for: values outside 0 … 1 under binary cross-entropy, class numbers
//! that are negative, fractional or beyond the output's units under sparse categorical cross-entropy, rows that do not
//! sum to 1 under categorical cross-entropy. Where the classes are numbered from 0 without a gap, the output has too few
//! units, and that is where the finding stands.
//!
//! ## Why it matters
//! Cross-entropy of such labels is not bounded below (it goes to minus infinity as the output grows), or counts a class
//! the labels do not mean. The loss then falls while the predictions get worse.
//!
//! ## Example
//! ```python
//! y = np.array([1, 2, 2, 1])                 # two classes, called 1 and 2
//! model.compile(loss="binary_crossentropy")
//! ```
//!
//! ## Use instead
//! ```python
//! y = np.array([1, 2, 2, 1]) - 1
//! model.compile(loss="binary_crossentropy")
//! ```
//!
//! ## Fix safety
//! No automatic fix: the right encoding depends on what the labels mean.
//!
//! ## References
//! Humbatova et al., "Taxonomy of real faults in deep learning systems" (ICSE 2020), wrong labels;
//! `docs/benchmark` cases 59325381 and 50079585 of the DeepLocalize benchmark.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, Remedy, labels_broadcast};
use crate::case::Case;
use crate::data;
use crate::place::Place;
use crate::text::number;
use trace::DataInfo;

pub(crate) const INFO: RuleInfo = RuleInfo {
    code: "DL702",
    name: "labels-outside-loss",
    kind: Kind::LabelEncoding,
    severity: Severity::Error,
    source: include_str!("labels_outside_loss.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(y) = case.fit.y() else { return Vec::new() };
    // Right labels for another loss (DL707).
    if labels_broadcast::classes_against_softmax(case).is_some() {
        return Vec::new();
    }
    let loss = case.loss_name();
    let range = format!("labels from {} to {}", number(y.min), number(y.max));
    if let Some(cause) = too_few_units(case, &range).or_else(|| fewer_units_than_classes(case, &range)) {
        return vec![cause];
    }
    if loss == "binary_crossentropy" && !y.integers && two_valued(y) {
        let message = format!(
            "the labels are {} and {}, but binary cross-entropy is defined for 0 and 1: the two classes were scaled along with \
             the features; leave the labels as they are",
            number(y.min),
            number(y.max)
        );
        return vec![
            Cause::new(&INFO, Place::Labels, 0.95, message)
                .seen(Phase::Data, format!("{range}, shape {:?}, {}", y.shape, y.dtype))
                .settled(),
        ];
    }
    // Numbers that are no class codes are right labels for another loss.
    if loss == "binary_crossentropy" && (y.min < 0.0 || y.max > 1.0) && (!y.integers || y.classes.as_ref().is_none_or(|classes| classes.len() > 20)) {
        let message = format!(
            "{range} are numbers, not classes, but binary cross-entropy is defined for 0 … 1: it has no lower bound here and pushes the \
             output to one side for ever; use mean squared error"
        );
        return vec![
            Cause::new(&INFO, Place::Loss, 0.95, message)
                .kind(Kind::Loss)
                .seen(Phase::Data, format!("{range}, shape {:?}, {}", y.shape, y.dtype))
                .settled(),
        ];
    }
    let problem = if loss == "binary_crossentropy" && (y.min < 0.0 || y.max > 1.0) {
        Some((
            format!(
                "{range} under binary cross-entropy, which is defined for 0 … 1: the loss has no lower bound and pushes the \
                 output to one side for ever; map the two classes to 0 and 1"
            ),
            0.95,
        ))
    } else if loss == "sparse_categorical_crossentropy" && !y.integers {
        Some((
            format!(
                "{range} are cut to whole class numbers by sparse categorical cross-entropy, so different classes become \
                 one; labels must stay class numbers (scale the features, not the labels)"
            ),
            0.95,
        ))
    } else if loss == "sparse_categorical_crossentropy"
        && (y.min < 0.0 || case.output_units().is_some_and(|units| units > 1 && y.max >= units as f64))
    {
        let units = case.output_units().map_or_else(|| "the".to_owned(), |units| units.to_string());
        Some((
            format!(
                "{range}, but the output has {units} units, which stand for the classes from 0: number the classes from 0, \
                 or give the output one unit for each"
            ),
            0.95,
        ))
    } else if loss == "categorical_crossentropy"
        && y.shape.len() == 2
        && data::columns(y) > 1
        && !y.zero_one
        && (y.row_sum_max < 0.9 || y.row_sum_min > 1.1)
    {
        Some((
            format!(
                "rows of the labels sum to {} … {}, but categorical cross-entropy compares probabilities, which sum to 1; \
                 encode the classes one-hot",
                number(y.row_sum_min),
                number(y.row_sum_max)
            ),
            0.9,
        ))
    } else {
        None
    };
    problem
        .map(|(message, confidence)| {
            Cause::new(&INFO, Place::Labels, confidence, message)
                .seen(Phase::Data, format!("{range}, shape {:?}, {}", y.shape, y.dtype))
                .settled()
        })
        .into_iter()
        .collect()
}

/// Whether there are two values only: of all data with these bounds and this mean they alone have the largest variance
/// (Bhatia and Davis, 2000).
fn two_valued(y: &DataInfo) -> bool {
    let largest = (y.max - y.mean) * (y.mean - y.min);
    y.whole && largest > 0.0 && (y.std.powi(2) - largest).abs() < 1e-4 * largest
}

/// Several classes under binary cross-entropy are right labels for a network with another output.
fn too_few_units(case: &Case<'_>, range: &str) -> Option<Cause> {
    let y = case.fit.y()?;
    let classes = y.classes.as_ref().filter(|_| y.integers && y.min >= 0.0)?.len();
    if case.loss_name() != "binary_crossentropy" || classes < 3 || case.output_units() != Some(1) {
        return None;
    }
    let last = case.weighted().last()?;
    let message = format!(
        "{range} stand for {classes} classes, but one unit with binary cross-entropy can tell two apart, and the loss of the \
         others has no lower bound; give the output {} units with softmax and use sparse categorical cross-entropy",
        number(y.max + 1.0)
    );
    let mut cause = Cause::new(&INFO, Place::LayerArgument(last.index, "units"), 0.93, message)
        .layer(last.index)
        .seen(Phase::Data, format!("{range}, {classes} distinct; output of shape (batch, 1)"))
        .settled();
    cause.kind = Kind::LayerSize;
    Some(cause)
}

/// Classes that are numbered as they should be, and an output that has not a unit for each.
fn fewer_units_than_classes(case: &Case<'_>, range: &str) -> Option<Cause> {
    let y = case.fit.y()?;
    let classes = data::numbered_classes(y)?;
    let units = case.output_units().filter(|units| *units > 1 && *units < classes)?;
    if case.loss_name() != "sparse_categorical_crossentropy" {
        return None;
    }
    let last = case.weighted().last().filter(|layer| {
        Case::config(layer, "units").or_else(|| Case::config(layer, "filters")).is_none_or(|own| own == units as f64)
    })?;
    let keyword = if last.config.contains_key("filters") { "filters" } else { "units" };
    let message = format!(
        "{range} are {classes} classes, but the output has {units} units: the last classes have none; give it {classes} units"
    );
    let cause = Cause::new(&INFO, Place::LayerArgument(last.index, keyword), 0.95, message)
        .kind(Kind::LayerSize)
        .layer(last.index)
        .seen(Phase::Data, format!("{range}, {classes} distinct, shape {:?}, {}", y.shape, y.dtype))
        .remedy(Remedy::Argument { title: format!("Use {classes} units"), keyword, text: classes.to_string() })
        .settled();
    Some(cause)
}
