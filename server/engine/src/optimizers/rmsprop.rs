//! RMSprop.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct RmsProp {
    rho: f32,
    momentum: f32,
    epsilon: f32,
    centered: bool,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(RmsProp {
        rho: config.f32("rho", 0.9)?,
        momentum: config.f32("momentum", 0.0)?,
        epsilon: config.f32("epsilon", 1e-7)?,
        centered: config.flag("centered", false)?,
    }))
}

impl Rule for RmsProp {
    fn slots(&self) -> Vec<f32> {
        vec![0.0; 3]
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let [velocity, momentum, mean] = slots else { return };
        let state = velocity.iter_mut().zip(momentum.iter_mut()).zip(mean.iter_mut());
        for ((weight, &gradient), ((velocity, momentum), mean)) in weight.iter_mut().zip(gradient).zip(state)
        {
            *velocity = self.rho * *velocity + (1.0 - self.rho) * gradient * gradient;
            let mut below = *velocity + self.epsilon;
            if self.centered {
                *mean = self.rho * *mean + (1.0 - self.rho) * gradient;
                below = *velocity - *mean * *mean + self.epsilon;
            }
            let step = now.rate * gradient / below.sqrt();
            if self.momentum > 0.0 {
                *momentum = self.momentum * *momentum + step;
                *weight -= *momentum;
            } else {
                *weight -= step;
            }
        }
    }
}
