//! Ftrl: follow the regularized leader.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Ftrl {
    initial: f32,
    power: f32,
    l1: f32,
    l2: f32,
    shrinkage: f32,
    beta: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Ftrl {
        initial: config.f32("initial_accumulator_value", 0.1)?,
        power: -config.f32("learning_rate_power", -0.5)?,
        l1: config.f32("l1_regularization_strength", 0.0)?,
        l2: config.f32("l2_regularization_strength", 0.0)?,
        shrinkage: config.f32("l2_shrinkage_regularization_strength", 0.0)?,
        beta: config.f32("beta", 0.0)?,
    }))
}

impl Rule for Ftrl {
    fn slots(&self) -> Vec<f32> {
        vec![self.initial, 0.0]
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let [sums, linears] = slots else { return };
        let l2 = self.l2 + self.beta / (2.0 * now.rate);
        let state = sums.iter_mut().zip(linears.iter_mut());
        for ((weight, &gradient), (sum, linear)) in weight.iter_mut().zip(gradient).zip(state) {
            let used = gradient + 2.0 * self.shrinkage * *weight;
            let grown = *sum + gradient * gradient;
            *linear += used - (grown.powf(self.power) - sum.powf(self.power)) / now.rate * *weight;
            let quadratic = grown.powf(self.power) / now.rate + 2.0 * l2;
            *weight = (linear.clamp(-self.l1, self.l1) - *linear) / quadratic;
            *sum = grown;
        }
    }
}
