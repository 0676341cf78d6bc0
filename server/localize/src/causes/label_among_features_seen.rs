//! # label-copied-into-features (DL723)
//!
//! ## What it does
//! Reports a feature that is the label in another form.
//!
//! ## Why it matters
//! The network only has to read the answer off that column. Its accuracy is perfect here and worth nothing on data where
//! the answer is not known.
//!
//! ## Example
//! ```python
//! frame["flag"] = frame["target"] * 2 - 1
//! x = frame.drop(columns="target")
//! ```
//!
//! ## Use instead
//! ```python
//! x = frame.drop(columns=["target", "flag"])
//! ```
//!
//! ## Fix safety
//! No automatic fix: only who knows the data can tell whether the column will be known in use.
//!
//! ## References
//! Leakage in UMLAUT (CHI 2021) is guessed from accuracies above 0.95; here: a correlation of at least 0.9999 between one
//! of several features and the label of two or more classes, which no honest feature of our healthy data sets comes near
//! (largest: 0.97). When half of the features are the label, telling it from them is the task, not a leak.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::Cause;
use crate::case::Case;
use crate::data;
use crate::learning::Task;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL723",
    name: "label-copied-into-features",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("label_among_features_seen.rs"),
};
/// Correlation from which a feature is the label.
const COPIED: f64 = 0.9999;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let Some(baselines) = &case.fit.info.data.baselines else { return Vec::new() };
    let features = case.fit.info.data.x.first().map_or(0, data::columns);
    let classes = matches!(case.learning().task, Task::Binary | Task::MultiClass);
    let copied = baselines.copied >= COPIED && 2 * baselines.copies < features as u64;
    if !classes || features < 3 || !copied {
        return Vec::new();
    }
    let column = baselines.copied_feature.unwrap_or(0);
    let message = format!(
        "feature {column} is the label in another form (correlation {}), so the network reads the answer off it; remove that \
         column",
        number(baselines.copied)
    );
    vec![Cause::new(&INFO, Place::Features, 0.88, message).seen(Phase::Data, format!("feature {column} of {features}"))]
}
