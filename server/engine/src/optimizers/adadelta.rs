//! Adadelta.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Adadelta {
    rho: f32,
    epsilon: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Adadelta {
        rho: config.f32("rho", 0.95)?,
        epsilon: config.f32("epsilon", 1e-7)?,
    }))
}

impl Rule for Adadelta {
    fn slots(&self) -> Vec<f32> {
        vec![0.0; 2]
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let [squares, changes] = slots else { return };
        let (rho, rest) = (self.rho, 1.0 - self.rho);
        let rms = |x: f32| (x + self.epsilon).sqrt();
        let state = squares.iter_mut().zip(changes.iter_mut());
        for ((weight, &gradient), (square, change)) in weight.iter_mut().zip(gradient).zip(state) {
            *square = rho * *square + rest * gradient * gradient;
            let delta = -(rms(*change) * gradient / rms(*square));
            *change = rho * *change + rest * delta * delta;
            *weight += now.rate * delta;
        }
    }
}
