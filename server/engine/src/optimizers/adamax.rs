//! Adamax: Adam by the largest gradient.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Adamax {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Adamax {
        beta_1: config.f32("beta_1", 0.9)?,
        beta_2: config.f32("beta_2", 0.999)?,
        epsilon: config.f32("epsilon", 1e-7)?,
    }))
}

impl Rule for Adamax {
    fn slots(&self) -> Vec<f32> {
        vec![0.0; 2]
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let [m, u] = slots else { return };
        let below = 1.0 - self.beta_1.powf(now.step);
        let state = m.iter_mut().zip(u.iter_mut());
        for ((weight, &gradient), (m, u)) in weight.iter_mut().zip(gradient).zip(state) {
            *m += (gradient - *m) * (1.0 - self.beta_1);
            *u = (self.beta_2 * *u).max(gradient.abs());
            *weight -= now.rate * *m / (below * (*u + self.epsilon));
        }
    }
}
