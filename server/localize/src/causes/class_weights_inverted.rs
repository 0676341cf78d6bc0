//! # class-weights-inverted (DL749)
//!
//! ## What it does
//! Reports class weights that give the frequent class more weight than the rare one.
//!
//! ## Why it matters
//! Class weights are there so that a rare class counts as much as a frequent one. The other way round they make a rare class
//! count for nothing, and the network answers with the frequent one.
//!
//! ## Example
//! ```python
//! # 94 of 100 labels are 0
//! model.fit(x, y, class_weight={0: 8.3, 1: 0.53})
//! ```
//!
//! ## Use instead
//! ```python
//! model.fit(x, y, class_weight={0: 0.53, 1: 8.3})
//! ```
//!
//! ## Fix safety
//! No automatic fix: the weights may be computed.
//!
//! ## References
//! King and Zeng, Logistic Regression in Rare Events Data (2001), weigh by the inverse of the frequency, as scikit-learn's
//! `class_weight="balanced"` does. Reported from a class four times as frequent as another that has twice its weight.

use finding::{Kind, Phase, RuleInfo, Severity};

use super::Cause;
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL749",
    name: "class-weights-inverted",
    kind: Kind::DataOther,
    severity: Severity::Warning,
    source: include_str!("class_weights_inverted.rs"),
};
/// How many times as frequent a class is that is called frequent here.
const FREQUENT: u64 = 4;
/// How many times as much weight it has.
const HEAVIER: f64 = 2.0;

pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let weights = &case.fit.info.class_weight;
    let Some(classes) = case.fit.y().filter(|y| y.integers).and_then(|y| y.classes.as_ref()) else { return Vec::new() };
    let known = classes.iter().filter_map(|(label, count)| Some((*label, *count, *weights.get(&label.to_string())?)));
    let known: Vec<(f64, u64, f64)> = known.collect();
    // Of one-hot rows, 0 and 1 are no classes.
    let one_column = case.fit.y().is_some_and(|y| crate::data::columns(y) == 1);
    let (Some(frequent), Some(rare)) = (known.iter().max_by_key(|class| class.1), known.iter().min_by_key(|class| class.1)) else {
        return Vec::new();
    };
    if !one_column || frequent.1 < FREQUENT * rare.1 || frequent.2 < HEAVIER * rare.2 {
        return Vec::new();
    }
    let message = format!(
        "class {} is {} times as frequent as class {} and has {} times its weight, so the rare class counts for nothing: class \
         weights should fall with the frequency",
        number(frequent.0),
        number(frequent.1 as f64 / rare.1 as f64),
        number(rare.0),
        number(frequent.2 / rare.2)
    );
    vec![
        Cause::new(&INFO, Place::ClassWeights, 0.9, message)
            .seen(
                Phase::Data,
                format!(
                    "{} samples of class {} with weight {}, {} of class {} with weight {}",
                    frequent.1,
                    number(frequent.0),
                    number(frequent.2),
                    rare.1,
                    number(rare.0),
                    number(rare.2)
                ),
            )
            .settled(),
    ]
}
