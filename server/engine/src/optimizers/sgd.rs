//! Stochastic gradient descent.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Sgd {
    momentum: f32,
    nesterov: bool,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Sgd {
        momentum: config.f32("momentum", 0.0)?,
        nesterov: config.flag("nesterov", false)?,
    }))
}

impl Rule for Sgd {
    fn slots(&self) -> Vec<f32> {
        vec![0.0; usize::from(self.momentum != 0.0)]
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let Some(momentum) = slots.first_mut() else {
            for (weight, &gradient) in weight.iter_mut().zip(gradient) {
                *weight -= gradient * now.rate;
            }
            return;
        };
        for ((weight, &gradient), m) in weight.iter_mut().zip(gradient).zip(momentum.iter_mut()) {
            let part = gradient * now.rate;
            *m = *m * self.momentum - part;
            *weight += if self.nesterov {
                *m * self.momentum - part
            } else {
                *m
            };
        }
    }
}
