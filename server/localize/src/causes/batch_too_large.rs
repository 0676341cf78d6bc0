//! # batch-too-large (DL736)
//!
//! ## What it does
//! Reports a training of few steps because one batch holds most of the data, while the loss still falls.
//!
//! ## Why it matters
//! A batch is one step, however large it is. With all samples in one batch an epoch is a single step, and ten epochs
//! hardly move the weights.
//!
//! ## Example
//! ```python
//! model.fit(x, y, epochs=10, batch_size=len(x))
//! ```
//!
//! ## Use instead
//! ```python
//! model.fit(x, y, epochs=10, batch_size=32)
//! ```
//!
//! ## Fix safety
//! Unsafe: training takes other steps.
//!
//! ## References
//! Theia (TOSEM 2024): batches of 32 to 256. Here: at most two steps an epoch, under 200 in all, at least 64 samples in a
//! batch, steps of normal length (so the rate is not to blame), and far behind a simple model or a constant.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL736",
    name: "batch-too-large",
    kind: Kind::BatchSize,
    severity: Severity::Warning,
    source: include_str!("batch_too_large.rs"),
};
/// Steps below which a training is a handful.
const STEPS: u64 = 200;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let info = &case.fit.info;
    let size = info.batch_size.unwrap_or(0).min(info.samples.unwrap_or(u64::MAX));
    let per_epoch = info.steps_per_epoch.unwrap_or(u64::MAX).min(case.fit.steps / (case.fit.epochs.len() as u64).max(1));
    if !suspects::unfinished(case, STEPS) || size < 64 || per_epoch > 2 {
        return Vec::new();
    }
    let message = format!(
        "batches of {size} samples make {} steps in all, too few to learn; use batches of 32 or so",
        case.fit.steps
    );
    vec![
        Cause::new(&INFO, Place::FitArgument("batch_size"), 0.8, message)
            .seen(Phase::Metric, suspects::stuck_text(case))
            .remedy(Remedy::Argument { title: "Use batches of 32".into(), keyword: "batch_size", text: "32".into() }),
    ]
}
