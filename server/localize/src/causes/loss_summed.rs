//! # loss-summed-over-batch (DL725)
//!
//! ## What it does
//! Reports a loss of the user's own that adds up the samples of a batch instead of averaging them.
//!
//! ## Why it matters
//! The gradient grows with the batch: at 128 samples every step is 128 times as long, and the learning rate that suits
//! one batch size diverges with another.
//!
//! ## Example
//! ```python
//! def loss(y, p):
//!     return tf.reduce_sum(tf.square(y - p))
//! ```
//!
//! ## Use instead
//! ```python
//! def loss(y, p):
//!     return tf.reduce_mean(tf.square(y - p))
//! ```
//!
//! ## Fix safety
//! No automatic fix.
//!
//! ## References
//! TheDeepChecker (TOSEM 2023): loss averages, not sums, over the batch. The loss is compared with the squared error of
//! the same predictions (equal to within 5 % of the batch's sum), and reported when training diverges or fails.

use finding::{Kind, Phase, RuleInfo, Severity};
use trace::Scalar;

use super::{Cause, suspects};
use crate::case::Case;
use crate::place::Place;
use crate::text::number;

pub(super) const INFO: RuleInfo = RuleInfo {
    code: "DL725",
    name: "loss-summed-over-batch",
    kind: Kind::Loss,
    severity: Severity::Warning,
    source: include_str!("loss_summed.rs"),
};
pub(super) fn find(case: &Case<'_>) -> Vec<Cause> {
    if case.known_loss() || !(case.fails() || case.broken().is_some() || suspects::failure(case).is_some()) {
        return Vec::new();
    }
    let column = |scalar| case.fit.scalar(scalar);
    let (losses, squares, sizes) = (column(Scalar::Loss), column(Scalar::ResidualSquareSum), column(Scalar::BatchSize));
    let compared: Vec<bool> = losses
        .iter()
        .zip(squares)
        .filter(|(loss, sum)| loss.is_finite() && sum.is_finite() && **sum > 0.0)
        .take(5)
        .map(|(loss, sum)| (loss / sum - 1.0).abs() < 0.05)
        .collect();
    let size = sizes.iter().copied().find(|size| size.is_finite()).unwrap_or(0.0);
    if compared.is_empty() || compared.contains(&false) || size < 8.0 {
        return Vec::new();
    }
    let message = format!(
        "the loss is the sum over the {} samples of a batch, so its gradient is that many times as long as one of the mean, and \
         training does not come to rest; average over the batch",
        number(size)
    );
    let cause = Cause::new(&INFO, Place::Loss, 0.9, message).seen(Phase::Loss, format!("loss {}", case.loss_story()));
    vec![cause]
}
