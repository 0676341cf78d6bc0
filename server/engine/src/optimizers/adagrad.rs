//! Adagrad.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Adagrad {
    initial: f32,
    epsilon: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Adagrad {
        initial: config.f32("initial_accumulator_value", 0.1)?,
        epsilon: config.f32("epsilon", 1e-7)?,
    }))
}

impl Rule for Adagrad {
    fn slots(&self) -> Vec<f32> {
        vec![self.initial]
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let [sums] = slots else { return };
        for ((weight, &gradient), sum) in weight.iter_mut().zip(gradient).zip(sums.iter_mut()) {
            *sum += gradient * gradient;
            *weight -= now.rate * gradient / (*sum + self.epsilon).sqrt();
        }
    }
}
