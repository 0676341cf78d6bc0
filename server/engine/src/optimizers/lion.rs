//! Lion: the sign of the momentum.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Lion {
    beta_1: f32,
    beta_2: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Lion {
        beta_1: config.f32("beta_1", 0.9)?,
        beta_2: config.f32("beta_2", 0.99)?,
    }))
}

impl Rule for Lion {
    fn slots(&self) -> Vec<f32> {
        vec![0.0]
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let [momentum] = slots else { return };
        for ((weight, &gradient), m) in weight.iter_mut().zip(gradient).zip(momentum.iter_mut()) {
            let mixed = *m * self.beta_1 + gradient * (1.0 - self.beta_1);
            *weight -= now.rate * if mixed == 0.0 { 0.0 } else { mixed.signum() };
            *m = *m * self.beta_2 + gradient * (1.0 - self.beta_2);
        }
    }
}
