//! # output-starved (DL751)
//!
//! ## What it does
//! Reports a model of several outputs in which the loss of one is a thousand times that of another or more, because its
//! targets are numbers far from 1, while the other output hardly learns what simple models do learn.
//!
//! ## Why it matters
//! The losses are added up. The gradient that the shared layers get is that of the large loss alone, so they compute what
//! this one output needs, and the other has to make do with it.
//!
//! ## Example
//! ```python
//! model = keras.Model(inputs, [price, category])
//! model.compile("adam", loss={"price": "mse", "category": "sparse_categorical_crossentropy"})
//! model.fit(x, {"price": prices, "category": categories})      # prices around 400: a loss of 160,000 against 1
//! ```
//!
//! ## Use instead
//! ```python
//! model = keras.Model(inputs, [price, category])
//! model.compile("adam", loss={"price": "mse", "category": "sparse_categorical_crossentropy"})
//! model.fit(x, {"price": (prices - prices.mean()) / prices.std(), "category": categories})
//! ```
//!
//! ## Fix safety
//! No automatic fix: standardised targets have to be undone in predictions; `loss_weights` are the alternative.
//!
//! ## References
//! Unscaled targets (TheDeepChecker, TOSEM 2023), here for one of several outputs. Medians over the last third of the epochs:
//! the losses differ by a factor of 1000, the targets spread by 10 or more, and the other output gets less than 0.8 times
//! as far from the most frequent class to perfection as nearest neighbours or a linear model do (at least 0.5 of the way).

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::DataInfo;

use super::Cause;
use crate::case::Case;
use crate::data;
use crate::learning::Task;
use crate::logs::{is_accuracy, logged};
use crate::place::Place;
use crate::text::{number, percent};
use crate::trend::median;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL751",
    name: "output-starved",
    kind: Kind::InputScale,
    severity: Severity::Warning,
    source: include_str!("output_starved.rs"),
};
const LARGER: f64 = 1000.0;
const SPREAD: f64 = 10.0;
/// Skill of a simple model from which the answer is known to be in the data, and the part of it below which an output lags.
const BASELINE_GOOD: f64 = 0.5;
const LAGGING: f64 = 0.8;
const EPOCHS: usize = 5;
const STEPS: u64 = 200;

struct Output<'a> {
    number: usize,
    name: &'a str,
    labels: &'a DataInfo,
    loss: f64,
}

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let y = &case.fit.info.data.y;
    if y.len() < 2 || case.steps < STEPS || case.drawn || case.broken().is_some() {
        return Vec::new();
    }
    let outputs: Vec<Output<'_>> = y.iter().enumerate().filter_map(|(number, labels)| output(case, number, labels)).collect();
    let Some(large) = outputs.iter().max_by(|a, b| a.loss.total_cmp(&b.loss)) else { return Vec::new() };
    if large.labels.std < SPREAD || data::one_hot(large.labels) {
        return Vec::new();
    }
    outputs.iter().find_map(|small| starved(case, large, small)).into_iter().collect()
}

fn output<'a>(case: &Case<'a>, number: usize, labels: &'a DataInfo) -> Option<Output<'a>> {
    let name = labels.output.as_deref()?;
    let loss = late(&logged(case.fit, |logged| logged.strip_suffix("_loss") == Some(name)))?;
    Some(Output { number, name, labels, loss })
}

/// The median of the last third of the epochs.
fn late(epochs: &[f64]) -> Option<f64> {
    (epochs.len() >= EPOCHS).then(|| median(epochs[epochs.len() - epochs.len().div_ceil(3)..].iter().copied()))
}

fn starved(case: &Case<'_>, large: &Output<'_>, small: &Output<'_>) -> Option<Cause> {
    if small.loss * LARGER > large.loss || small.loss <= 0.0 {
        return None;
    }
    let of_output = |name: &str| name.strip_prefix(small.name).and_then(|rest| rest.strip_prefix('_')).is_some_and(is_accuracy);
    let accuracy = late(&logged(case.fit, of_output))?;
    let majority = data::majority(small.labels, Task::MultiClass).filter(|majority| *majority < 1.0)?;
    let skill = (accuracy - majority) / (1.0 - majority);
    let simple = small.labels.baselines.as_ref().map(|simple| simple.neighbours.max(simple.linear))?;
    if simple < BASELINE_GOOD || skill >= LAGGING * simple {
        return None;
    }
    let message = format!(
        "the targets of `{}` spread by {}, so its loss is {} times that of `{}`, and the layers that both share learn for it alone; \
         standardise these targets, or balance the losses with `loss_weights`",
        large.name,
        number(large.labels.std),
        number(large.loss / small.loss),
        small.name,
    );
    Some(
        Cause::new(&INFO, Place::OutputLabels(large.number), 0.8, message)
            .seen(Phase::Loss, format!("loss {} of `{}`, {} of `{}`", number(large.loss), large.name, number(small.loss), small.name))
            .seen(
                Phase::Metric,
                format!(
                    "`{}` is {} right, {} for the most frequent class; simple models come {} of the way from there",
                    small.name,
                    percent(accuracy),
                    percent(majority),
                    percent(simple)
                ),
            ),
    )
}
