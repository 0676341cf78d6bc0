//! Adafactor: squares of gradients by row and column of a matrix only.

use super::{Now, Rule};
use crate::Unsupported;
use crate::config::Config;

struct Adafactor {
    decay: f32,
    /// Added to squares, and least size of a weight.
    epsilon: (f32, f32),
    threshold: f32,
}

pub(super) fn make(config: Config<'_>) -> Result<Box<dyn Rule>, Unsupported> {
    Ok(Box::new(Adafactor {
        decay: config.f32("beta_2_decay", -0.8)?,
        epsilon: (config.f32("epsilon_1", 1e-30)?, config.f32("epsilon_2", 1e-3)?),
        threshold: config.f32("clip_threshold", 1.0)?,
    }))
}

fn root_mean_square(values: &[f32]) -> f32 {
    let sum: f64 = values
        .iter()
        .map(|&value| f64::from(value) * f64::from(value))
        .sum();
    (sum / values.len().max(1) as f64).sqrt() as f32
}

impl Rule for Adafactor {
    fn slots(&self) -> Vec<f32> {
        vec![0.0; 2]
    }

    fn whole(&self) -> bool {
        true
    }

    fn update(&self, now: Now, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        self.update_whole(now, &[weight.len()], weight, gradient, slots);
    }

    fn update_whole(
        &self,
        now: Now,
        shape: &[usize],
        weight: &mut [f32],
        gradient: &[f32],
        slots: &mut [&mut [f32]],
    ) {
        let [first, second] = slots else { return };
        // Whether the learning rate is relative or not, it is at most this.
        let rate = now.rate.min(1.0 / now.step.sqrt());
        let size = self.epsilon.1.max(root_mean_square(weight)) * rate;
        let keep = 1.0 - now.step.powf(self.decay);
        let square = |gradient: f32| gradient * gradient + self.epsilon.0;
        let mut step = gradient.to_vec();
        if let &[.., rows, columns] = shape
            && rows * columns > 0
        {
            // Means over the columns are kept in the first, those over the rows in the second; less than they hold.
            let each = gradient
                .chunks_exact(rows * columns)
                .zip(step.chunks_exact_mut(rows * columns));
            let kept = first.chunks_exact_mut(rows).zip(second.chunks_exact_mut(columns));
            for ((gradient, step), (by_row, by_column)) in each.zip(kept) {
                for (mean, row) in by_row.iter_mut().zip(gradient.chunks_exact(columns)) {
                    let fresh = row.iter().map(|&g| square(g)).sum::<f32>() / columns as f32;
                    *mean = keep * *mean + (1.0 - keep) * fresh;
                }
                for (at, mean) in by_column.iter_mut().enumerate() {
                    let column = gradient.iter().skip(at).step_by(columns);
                    let fresh = column.map(|&g| square(g)).sum::<f32>() / rows as f32;
                    *mean = keep * *mean + (1.0 - keep) * fresh;
                }
                let whole = by_row.iter().sum::<f32>() / rows as f32;
                for (step, &of_row) in step.chunks_exact_mut(columns).zip(by_row.iter()) {
                    for (step, &of_column) in step.iter_mut().zip(by_column.iter()) {
                        *step /= (of_row / whole * of_column).sqrt();
                    }
                }
            }
        } else {
            for (step, mean) in step.iter_mut().zip(first.iter_mut()) {
                *mean = keep * *mean + (1.0 - keep) * square(*step);
                *step /= mean.sqrt();
            }
        }
        let clip = (root_mean_square(&step) / self.threshold).max(1.0);
        for (weight, step) in weight.iter_mut().zip(&step) {
            *weight -= size * step / clip;
        }
    }
}
