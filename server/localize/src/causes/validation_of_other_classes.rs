//! # validation-of-other-classes (DL719)
//!
//! ## What it does
//! Reports validation data whose classes are not those of the training data, and training data in order of their classes that
//! end before the last ones, cut off by position.
//!
//! ## Why it matters
//! `validation_split`, a slice and `train_test_split(shuffle=False)` take rows by position. On data sorted by class the last
//! classes are never trained on, and validation or test see only those.
//!
//! ## Example
//! ```python
//! x, y = load_iris(return_X_y=True)          # sorted by class
//! model.fit(x, y, validation_split=0.3)
//! ```
//!
//! ## Use instead
//! ```python
//! x, y = load_iris(return_X_y=True)
//! x, y = sklearn.utils.shuffle(x, y, random_state=0)
//! model.fit(x, y, validation_split=0.3)
//! ```
//!
//! ## Fix safety
//! No automatic fix: features and labels have to be shuffled together.
//!
//! ## References
//! UMLAUT (CHI 2021) looks at the gap between the accuracies; here the labels themselves are compared. Half of the
//! mixture has to differ (total variation distance, at least 20 samples): honest splits of our data sets stay below 0.25.
//! Cut-off training data: the labels never go back to an earlier class, the output has units for classes beyond the last one,
//! and the text takes the labels by position.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::EvaluateMessage;

use super::Cause;
use crate::case::Case;
use crate::data;
use crate::learning::Task;
use crate::place::Place;
use crate::text::percent;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL719",
    name: "validation-of-other-classes",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("validation_of_other_classes.rs"),
};
/// Distance between the mixtures of classes.
const SHIFT: f64 = 0.5;
/// Share of the evaluated samples whose class was never trained: a rare class may be missing by chance.
const UNSEEN: f64 = 0.2;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if case.learning().task == Task::Regression {
        return Vec::new();
    }
    held_out(case).or_else(|| cut_off(case)).or_else(|| evaluated(case)).into_iter().collect()
}

fn held_out(case: &Case<'_>) -> Option<Cause> {
    let info = &case.fit.info;
    let held_out = info.data.held_out.as_ref().filter(|held_out| held_out.shift >= SHIFT && held_out.samples >= 20)?;
    let message = format!(
        "the validation data hold other classes than the training data ({} of the mixture differs): the rows are sorted by class, \
         and the split takes the last ones; shuffle features and labels together first",
        percent(held_out.shift)
    );
    // What `validation_split` sets aside is still among the labels that `fit` is given.
    let sorted = in_order(case).is_some();
    let place = if case.cut && sorted { Place::Split } else { Place::FitArgument("validation_split") };
    let cause = Cause::new(&INFO, place, 0.93, message);
    let seen = format!("{} validation samples of {} classes", held_out.samples, held_out.classes.unwrap_or(0));
    Some(cause.seen(Phase::Data, seen).settled())
}

fn cut_off(case: &Case<'_>) -> Option<Cause> {
    let (trained, units) = (in_order(case)?, case.output_units()?);
    if !case.cut || case.learning().task != Task::MultiClass || trained >= units || case.fit.info.call != "fit" {
        return None;
    }
    let missing = if trained + 1 == units { format!("class {trained}") } else { format!("the classes {trained} to {}", units - 1) };
    let message = format!(
        "the training data never hold {missing}, for which the output has a unit: the rows are sorted by class, and the split takes \
         them by position, so what is left for testing are classes the network was never shown; shuffle features and labels \
         together before, or split with `stratify`",
    );
    let seen = format!("labels 0 … {} in order, {units} units", trained - 1);
    Some(Cause::new(&INFO, Place::Split, 0.92, message).seen(Phase::Data, seen).settled())
}

/// What the model is evaluated with after the training.
fn evaluated(case: &Case<'_>) -> Option<Cause> {
    // Other classes may be trained later on, and one class alone is trained where the others are to stand out.
    let several = case.fit.y().and_then(data::class_counts).is_some_and(|counts| counts.len() >= 2);
    if !case.complete || !several {
        return None;
    }
    // Samples of one class may be evaluated for themselves, but what was cut off from rows in order was to be like them.
    let cut = case.cut && in_order(case).is_some();
    let other = |given: &&EvaluateMessage| given.samples >= 20 && (given.unseen >= UNSEEN || cut && given.shift >= SHIFT);
    let given = case.fit.evaluated.iter().find(other)?;
    let message = if cut {
        format!(
            "the model is evaluated with other classes than it was trained on ({} of the mixture differs): the rows are sorted by \
             class, and the split takes them by position; shuffle features and labels together before",
            percent(given.shift)
        )
    } else {
        format!(
            "{} of the samples that the model is evaluated with are of classes that the training data never hold; split so that \
             each part has all classes",
            percent(given.unseen)
        )
    };
    let cause = Cause::new(&INFO, Place::Split, if cut { 0.93 } else { 0.8 }, message);
    let cause = if cut { cause } else { cause.severity(Severity::Warning) };
    Some(cause.seen(Phase::Data, format!("{} samples of {} classes evaluated", given.samples, given.classes)))
}

/// How many classes there are, where they are numbered from 0 and the labels never go back to one that was before.
pub(crate) fn in_order(case: &Case<'_>) -> Option<i64> {
    let y = case.fit.y().filter(|y| y.whole)?;
    let by_column = y.first_column_classes.as_ref().filter(|_| data::columns(y) > 1);
    let classes = by_column.or(y.classes.as_ref().filter(|_| data::columns(y) == 1))?;
    let present: Vec<(f64, f64)> =
        classes.iter().filter(|(_, count)| *count > 0).map(|&(label, count)| (label, count as f64)).collect();
    let numbered = present.iter().enumerate().all(|(number, (label, _))| *label == number as f64);
    let samples: f64 = present.iter().map(|(_, count)| count).sum();
    let equal: f64 = present.iter().map(|(_, count)| (count / samples).powi(2)).sum();
    let runs = case.fit.info.data.baselines.as_ref()?.label_runs;
    let changes = runs * (1.0 - equal) * (samples - 1.0);
    let ordered = present.len() >= 2 && samples >= 20.0 && (changes - (present.len() - 1) as f64).abs() < 0.5;
    (numbered && ordered).then_some(present.len() as i64)
}
