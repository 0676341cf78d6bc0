//! # majority-class-only (DL738)
//!
//! ## What it does
//! Reports a classifier that answers the most frequent class for every sample of unbalanced data.
//!
//! ## Why it matters
//! With 95 % of one class, always answering it is 95 % right. The few samples of the other class weigh too little to
//! change that.
//!
//! ## Example
//! ```python
//! model.fit(x, y)                             # 3 % positive
//! ```
//!
//! ## Use instead
//! ```python
//! model.fit(x, y, class_weight={0: 1.0, 1: 30.0})
//! ```
//!
//! ## Fix safety
//! No automatic fix: what a missed case costs is a decision.
//!
//! ## References
//! SageMaker Debugger: class imbalance ratio above 10. From a majority of 80 % on, with every prediction in it, weights
//! of neither classes nor samples given, and no skill by any other yardstick. Where nearest neighbours or a linear model come
//! half of the way to perfection on as many samples of the rare class as of the other (30 or more; labels without any relation
//! stay within 0.15 of 0), nine predictions in ten are enough: dropout and noise make the others.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, suspects};
use crate::case::Case;
use crate::learning::Task;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL738",
    name: "majority-class-only",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("majority_class.rs"),
};
/// Skill on samples of both classes in equal numbers from which they can be told apart.
const APART: f64 = 0.5;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let learning = case.learning();
    let (Some(majority), Some(collapsed)) = (learning.majority, learning.collapsed) else { return Vec::new() };
    let blank = learning.skill.is_none_or(|skill| skill < (3.0 * learning.skill_error).max(0.05));
    let minority = case.fit.info.data.baselines.as_ref().map_or(f64::NAN, |simple| simple.minority);
    let missed = minority >= APART && collapsed >= 0.9 && case.fails();
    if !case.complete || case.drawn || case.broken().is_some() || majority < 0.8 || !blank || case.fit.info.weighted {
        return Vec::new();
    }
    if !matches!(learning.task, Task::Binary | Task::MultiClass) || case.fit.steps < 50 || collapsed < 0.995 && !missed {
        return Vec::new();
    }
    let message = format!(
        "{} is the most frequent class, which {} of the samples are: the rest weighs too little; weight the classes \
         (`class_weight`) or balance the data, and look at recall instead of accuracy",
        if collapsed < 0.995 { "nearly every prediction" } else { "every prediction" },
        percent(majority)
    );
    let cause = Cause::new(&INFO, Place::Labels, 0.7, message).seen(Phase::Metric, suspects::stuck_text(case));
    if minority < APART || minority.is_nan() {
        return vec![cause];
    }
    let apart = format!("with equal numbers of both classes, simple models come {} of the way to perfection", percent(minority));
    vec![cause.seen(Phase::Data, apart)]
}
