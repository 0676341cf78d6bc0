//! # overfitting (DL737)
//!
//! ## What it does
//! Reports a training whose validation loss climbs while the training loss goes to nothing, at a large gap in success.
//!
//! ## Why it matters
//! The network learns the training samples by heart. What it says of others gets worse with every epoch from the turn on.
//!
//! ## Example
//! ```python
//! model.add(Dense(512, activation="relu"))       # 300 samples
//! model.fit(x, y, epochs=60, validation_split=0.3)
//! ```
//!
//! ## Use instead
//! ```python
//! model.add(Dense(12, activation="relu"))
//! model.fit(x, y, epochs=60, validation_split=0.3, callbacks=[EarlyStopping(restore_best_weights=True)])
//! ```
//!
//! ## Fix safety
//! No automatic fix: fewer units, penalties, dropout, more data or fewer epochs all help.
//!
//! ## References
//! SageMaker Debugger: (validation − training) / training above 0.1; UMLAUT: validation up while training falls. Both
//! alarm on healthy trainings, so here: validation loss at twice its minimum or more, training loss below a fifth of it,
//! and a quarter of the way to perfection lost on validation data.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::LayerInfo;

use super::Cause;
use crate::case::Case;
use crate::logs::logged;
use crate::place::Place;
use crate::text::{number, percent};

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL737",
    name: "overfitting",
    kind: Kind::Regularisation,
    severity: Severity::Warning,
    source: include_str!("overfitting.rs"),
};
/// Largest over smallest validation loss of the last third from which it jumps instead of climbing.
const JUMPS: f64 = 3.0;
/// Skill on the validation data that was reached before it can be lost.
const LEARNED: f64 = 0.1;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let (learning, epochs) = (case.learning(), &case.fit.epochs);
    let losses = |wanted: &str| logged(case.fit, |name| name == wanted);
    let (train, held) = (losses("loss"), losses("val_loss"));
    if case.drawn || epochs.len() < 5 || train.len() != epochs.len() || held.len() != epochs.len() || case.broken().is_some() {
        return Vec::new();
    }
    let turn = (0..held.len()).min_by(|a, b| held[*a].total_cmp(&held[*b])).unwrap_or(0);
    let (best, last, trained) = (held[turn], held[held.len() - 1], train[train.len() - 1]);
    let (Some(skill), Some(validated)) = (learning.skill, learning.validated) else { return Vec::new() };
    if !(last > 2.0 * best && trained < 0.2 * last && skill - validated > 0.25) || turn + 4 > held.len() {
        return Vec::new();
    }
    // A loss that jumps up and down is noise of another origin (statistics of a batch normalisation, say), and what was
    // never right on the validation data has not been unlearned.
    let recent = &held[held.len() - held.len().div_ceil(3)..];
    let (lowest, highest) = recent.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), loss| (low.min(*loss), high.max(*loss)));
    if highest > JUMPS * lowest || learning.validated_best.is_some_and(|best| best < LEARNED) {
        return Vec::new();
    }
    let Some(widest) = case.weighted().max_by_key(|layer| weights(layer)) else { return Vec::new() };
    let message = format!(
        "the validation loss climbs from {} (epoch {}) to {} while the training loss falls to {}: the network learns the samples \
         by heart; make it smaller, add dropout or a penalty, or stop at the turn",
        number(best),
        turn + 1,
        number(last),
        number(trained)
    );
    vec![
        Cause::new(&INFO, Place::Layer(widest.index), 0.72, message).layer(widest.index).seen(
            Phase::Metric,
            format!("of the way from a constant answer to perfection: {} in training, {} in validation", percent(skill), percent(validated.max(0.0))),
        ),
    ]
}

fn weights(layer: &LayerInfo) -> i64 {
    layer.weights.iter().map(|weight| weight.shape.iter().product::<i64>()).sum()
}
