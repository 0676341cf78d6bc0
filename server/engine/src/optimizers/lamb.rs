//! Lamb: Adam whose step is as long as the weight is large.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Lamb {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Lamb {
        beta_1: config.f32("beta_1", 0.9)?,
        beta_2: config.f32("beta_2", 0.999)?,
        epsilon: config.f32("epsilon", 1e-7)?,
    }))
}

fn norm(values: impl Iterator<Item = f32>) -> f32 {
    values
        .map(|value| f64::from(value) * f64::from(value))
        .sum::<f64>()
        .sqrt() as f32
}

impl Rule for Lamb {
    fn slots(&self) -> Vec<f32> {
        vec![0.0; 2]
    }

    fn whole(&self) -> bool {
        true
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let [m, v] = slots else { return };
        let (rest_1, rest_2) = (1.0 - self.beta_1.powf(now.step), 1.0 - self.beta_2.powf(now.step));
        for ((m, v), &gradient) in m.iter_mut().zip(v.iter_mut()).zip(gradient) {
            *m += (gradient - *m) * (1.0 - self.beta_1);
            *v += (gradient * gradient - *v) * (1.0 - self.beta_2);
        }
        let step = |m: f32, v: f32| m / rest_1 / ((v / rest_2).sqrt() + self.epsilon);
        let of_weight = norm(weight.iter().copied());
        let of_step = norm(m.iter().zip(v.iter()).map(|(&m, &v)| step(m, v)));
        let ratio = if of_weight > 0.0 && of_step > 0.0 {
            of_weight / of_step
        } else {
            1.0
        };
        for ((weight, &m), &v) in weight.iter_mut().zip(m.iter()).zip(v.iter()) {
            *weight -= ratio * now.rate * step(m, v);
        }
    }
}
