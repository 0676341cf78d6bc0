//! Nadam: Adam with Nesterov momentum.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Nadam {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    product: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Nadam {
        beta_1: config.f32("beta_1", 0.9)?,
        beta_2: config.f32("beta_2", 0.999)?,
        epsilon: config.f32("epsilon", 1e-7)?,
        product: 1.0,
    }))
}

impl Nadam {
    fn momentum(&self, step: f32) -> f32 {
        self.beta_1 * (1.0 - 0.5 * 0.96_f32.powf(step))
    }
}

impl Rule for Nadam {
    fn slots(&self) -> Vec<f32> {
        vec![0.0; 2]
    }

    fn begin(&mut self, now: Now) {
        self.product *= self.momentum(now.step);
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let [m, v] = slots else { return };
        let (here, next) = (self.momentum(now.step), self.momentum(now.step + 1.0));
        let following = self.product * next;
        let below = 1.0 - self.beta_2.powf(now.step);
        let state = m.iter_mut().zip(v.iter_mut());
        for ((weight, &gradient), (m, v)) in weight.iter_mut().zip(gradient).zip(state) {
            *m += (gradient - *m) * (1.0 - self.beta_1);
            *v += (gradient * gradient - *v) * (1.0 - self.beta_2);
            let ahead = next * *m / (1.0 - following) + (1.0 - here) * gradient / (1.0 - self.product);
            *weight -= ahead * now.rate / ((*v / below).sqrt() + self.epsilon);
        }
    }
}
