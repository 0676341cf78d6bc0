//! # optimizer-setting-out-of-range (DL729)
//!
//! ## What it does
//! Reports an epsilon or a momentum that keeps the optimizer from doing its work, when the network does not learn.
//!
//! ## Why it matters
//! Adam and its kin divide by the gradient's size plus epsilon: an epsilon of 1 or more divides every step by it. A
//! momentum of 0.999 adds up a thousand steps: the weights swing past every minimum.
//!
//! ## Example
//! ```python
//! Adam(learning_rate=0.001, epsilon=100.0)
//! ```
//!
//! ## Use instead
//! ```python
//! Adam(learning_rate=0.001)
//! ```
//!
//! ## Fix safety
//! Unsafe: training takes other steps. A clipping has no fix without trials.
//!
//! ## References
//! Keras' defaults (epsilon 1e-7, momentum 0.9); Sutskever et al., "On the importance of initialization and momentum"
//! (2013), go up to 0.999 with a schedule and small rates only. Pascanu et al. (2013) clip at the typical norm of the
//! gradient: a limit of a hundredth of it or less. From epsilon 0.1 and momentum 0.99 on, and only together
//! with a failure.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::{Cause, Remedy, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;
use crate::trend::median;
use trace::{LayerInfo, Stat, Tensor};

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL729",
    name: "optimizer-setting-out-of-range",
    kind: Kind::Optimizer,
    severity: Severity::Warning,
    source: include_str!("optimizer_damped.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if suspects::failure(case).is_none() {
        return Vec::new();
    }
    let Some(optimizer) = &case.fit.info.optimizer else { return Vec::new() };
    let setting = |name: &str| optimizer.config.get(name).and_then(serde_json::Value::as_f64);
    let (name, value, usual, effect) = match (setting("epsilon"), setting("momentum")) {
        (Some(epsilon), _) if epsilon >= 0.1 => ("epsilon", epsilon, Some("1e-7"), "divides every step by about that much"),
        (_, Some(momentum)) if momentum >= 0.99 => ("momentum", momentum, Some("0.9"), "adds up hundreds of steps, so the weights overshoot"),
        _ => match clipped(case, &setting) {
            Some((name, limit)) => (name, limit, None, "cuts every gradient to a sliver of its size, so the weights hardly move"),
            None => return Vec::new(),
        },
    };
    let message = format!("{name} {} of {} {effect}; {}", number(value), optimizer.class, usual.map_or_else(|| "leave it at its default".to_owned(), |usual| format!("use {usual}")));
    let cause = Cause::new(&INFO, Place::OptimizerArgument(name), 0.88, message).seen(
        Phase::Update,
        format!("a step typically changes the weights by {} of their size", number(case.typical_update_ratio())),
    );
    vec![match usual {
        Some(usual) => {
            cause.remedy(Remedy::Argument { title: format!("Set {name} of {} to {usual}", optimizer.class), keyword: name, text: usual.into() })
        }
        None => cause,
    }]
}

/// A clipping that cuts nearly all of the gradients away, of an optimizer whose steps are as long as its gradients.
fn clipped(case: &Case<'_>, setting: &dyn Fn(&str) -> Option<f64>) -> Option<(&'static str, f64)> {
    const LEFT: f64 = 0.01;
    let optimizer = case.fit.info.optimizer.as_ref()?;
    let size = |stat: Stat| {
        let of_layer = |layer: &LayerInfo| Some(median(case.fit.series(layer.index, Tensor::Dw)?.stat(stat).iter().copied()));
        case.weighted().filter_map(of_layer).filter(|size| size.is_finite()).fold(0.0, f64::max)
    };
    let limits = [("clipvalue", Stat::AbsMax), ("clipnorm", Stat::L2), ("global_clipnorm", Stat::L2)];
    limits
        .into_iter()
        .filter(|_| optimizer.class == "SGD")
        .find_map(|(name, stat)| setting(name).filter(|limit| *limit < LEFT * size(stat)).map(|limit| (name, limit)))
}
