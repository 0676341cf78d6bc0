//! # data-constant (DL724)
//!
//! ## What it does
//! Reports features or labels that are the same for every sample.
//!
//! ## Why it matters
//! Where nothing varies, nothing can be learned from: a cast to integers after scaling, a wrong column, or a mask has
//! wiped the values out.
//!
//! ## Example
//! ```python
//! x = (images / 255).astype("uint8")        # all 0
//! ```
//!
//! ## Use instead
//! ```python
//! x = (images / 255).astype("float32")
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! TheDeepChecker (TOSEM 2023), constant features or targets. All features, or all labels; single constant columns are
//! common and harmless.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::DataInfo;

use super::Cause;
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL724",
    name: "data-constant",
    kind: Kind::DataOther,
    severity: Severity::Error,
    source: include_str!("data_constant.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    let data = &case.fit.info.data;
    let constant = |array: &DataInfo| array.whole && array.shape.first().is_some_and(|samples| *samples > 4) && array.min == array.max;
    let mut causes = Vec::new();
    let wiped = |x: &DataInfo| constant(x) || (x.whole && x.features > 1 && x.features == x.constant_features && x.shape.len() == 2);
    if !data.x.is_empty() && data.x.iter().all(wiped) {
        let value = data.x[0].min;
        let message = format!(
            "every sample has the same features (all {}), so every prediction is the same; look at what scales or casts them",
            number(value)
        );
        causes.push(
            Cause::new(&INFO, Place::Features, 0.95, message)
                .seen(Phase::Data, format!("features {} … {}, {}", number(data.x[0].min), number(data.x[0].max), data.x[0].dtype))
                .settled(),
        );
    }
    // A discriminator is rightly trained on one kind at a time, and zeros stand for labels that a loss does not read.
    if let [y] = &data.y[..]
        && constant(y)
        && case.fit.info.call == "fit"
        && case.known_loss()
    {
        let message = format!("every label is {}, so there is nothing to learn; look at what makes the labels", number(y.min));
        // One class under one unit is learned at once, and may be all there is: a remark. Several units or numbers expect more.
        let one_class = case.output_units() == Some(1) && case.loss_name() == "binary_crossentropy";
        causes.push(
            Cause::new(&INFO, Place::Labels, 0.9, message)
                .kind(Kind::LabelEncoding)
                .severity(if one_class { Severity::Information } else { Severity::Error })
                .seen(Phase::Data, format!("labels all {}, {}", number(y.min), y.dtype))
                .settled(),
        );
    }
    causes
}
