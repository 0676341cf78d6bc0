//! Statistics of weights, taken while the optimizer has them at hand.

use super::statistics::Summary;
use crate::graph::Param;
use crate::native::wide;

/// Elements that are looked at and updated together: weight, gradient, update and what an optimizer keeps of them stay
/// in the nearest cache.
pub(crate) const PORTION: usize = 1024;

/// What was seen of one weight.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Before the update.
    pub weight: Summary,
    /// The gradient as the backward pass gave it.
    pub gradient: Summary,
    /// After minus before.
    pub update: Summary,
}

/// The weights of one step.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// By index of the weight.
    pub seen: Vec<Seen>,
    /// The weights from before the update, by index, where they are needed as a whole.
    before: Vec<Vec<f32>>,
    portion: Vec<f32>,
    /// Whether all weights are kept.
    pub keep: bool,
}

impl Watch {
    /// Before the update. `whole` tells which weights cannot be measured in portions.
    pub fn begin(&mut self, params: &[Param], whole: impl Fn(&Param) -> bool) {
        self.seen.clear();
        self.seen.resize(params.len(), Seen::default());
        self.before.resize(params.len(), Vec::new());
        for ((param, seen), before) in params.iter().zip(&mut self.seen).zip(&mut self.before) {
            before.clear();
            let changes = param.learns() && param.touched;
            if !changes {
                seen.weight.add(&param.value);
                seen.update = Summary::of_zeros(param.value.len());
            } else if self.keep || whole(param) {
                seen.weight.add(&param.value);
                seen.gradient.add(&param.grad);
            }
            if self.keep || changes && whole(param) {
                before.extend_from_slice(&param.value);
            }
        }
    }

    /// Whether this weight is measured in portions.
    pub fn in_portions(&self, index: usize) -> bool {
        self.before[index].is_empty()
    }

    /// Takes in a portion of a weight with its gradient, which `update` changes.
    #[inline]
    pub fn portion(
        &mut self,
        index: usize,
        (weight, gradient): (&mut [f32], &[f32]),
        update: impl FnOnce(&mut [f32]),
    ) {
        let Watch { seen, portion, .. } = self;
        let seen = &mut seen[index];
        portion.clear();
        portion.extend_from_slice(weight);
        wide(
            #[inline(always)]
            || {
                seen.weight.take_in(portion);
                seen.gradient.take_in(gradient);
            },
        );
        update(weight);
        wide(
            #[inline(always)]
            || {
                for (old, &new) in portion.iter_mut().zip(weight.iter()) {
                    *old = new - *old;
                }
                seen.update.take_in(portion);
            },
        );
    }

    /// After everything that changes weights.
    pub fn end(&mut self, params: &[Param]) {
        let Watch {
            seen,
            before,
            portion,
            ..
        } = self;
        for ((param, seen), before) in params.iter().zip(seen).zip(before) {
            if !before.is_empty() && param.learns() && param.touched {
                portion.clear();
                portion.extend(param.value.iter().zip(before.iter()).map(|(new, old)| new - old));
                seen.update.add(portion);
            }
        }
    }

    /// The weights from before the update, when all were kept.
    pub fn kept(&mut self) -> Option<&mut Vec<Vec<f32>>> {
        (self.keep && !self.before.is_empty()).then_some(&mut self.before)
    }
}
