//! Adam, and AdamW, whose weight decay is that of every optimizer.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;
use crate::native::wide;

struct Adam {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    amsgrad: bool,
    /// Learning rate of this step, corrected for averages that began at zero.
    alpha: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Adam {
        beta_1: config.f32("beta_1", 0.9)?,
        beta_2: config.f32("beta_2", 0.999)?,
        epsilon: config.f32("epsilon", 1e-7)?,
        amsgrad: config.flag("amsgrad", false)?,
        alpha: 0.0,
    }))
}

impl Rule for Adam {
    fn slots(&self) -> Vec<f32> {
        vec![0.0; if self.amsgrad { 3 } else { 2 }]
    }

    fn begin(&mut self, now: Now) {
        let (power_1, power_2) = (self.beta_1.powf(now.step), self.beta_2.powf(now.step));
        self.alpha = now.rate * (1.0 - power_2).sqrt() / (1.0 - power_1);
    }

    fn update(&self, _: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        let alpha = self.alpha;
        let (rest_1, rest_2) = (1.0 - self.beta_1, 1.0 - self.beta_2);
        match slots {
            [m, v] => wide(
                #[inline(always)]
                || {
                    let state = m.iter_mut().zip(v.iter_mut());
                    for ((weight, &gradient), (m, v)) in weight.iter_mut().zip(gradient).zip(state) {
                        *m += (gradient - *m) * rest_1;
                        *v += (gradient * gradient - *v) * rest_2;
                        *weight -= *m * alpha / (v.sqrt() + self.epsilon);
                    }
                },
            ),
            [m, v, most] => {
                let state = m.iter_mut().zip(v.iter_mut()).zip(most.iter_mut());
                for ((weight, &gradient), ((m, v), most)) in weight.iter_mut().zip(gradient).zip(state) {
                    *m += (gradient - *m) * rest_1;
                    *v += (gradient * gradient - *v) * rest_2;
                    *most = most.max(*v);
                    *weight -= *m * alpha / (most.sqrt() + self.epsilon);
                }
            }
            _ => {}
        }
    }
}
