//! Penalties on weights and outputs.

use serde_json::Value;

use crate::config::{Config, serialized};

/// A penalty `l1 · Σ|w| + l2 · Σw²`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regularizer {
    l1: f32,
    l2: f32,
}

impl Regularizer {
    /// Reads a serialised regularizer; `None` when it is not covered.
    pub fn read(value: &Value) -> Option<Self> {
        let (name, config) = serialized(value)?;
        let config = Config::new("regularizer", config);
        let (l1, l2) = match name {
            "L1" | "l1" => (config.f32("l1", 0.01).ok()?, 0.0),
            "L2" | "l2" => (0.0, config.f32("l2", 0.01).ok()?),
            "L1L2" | "l1_l2" => (config.f32("l1", 0.0).ok()?, config.f32("l2", 0.0).ok()?),
            _ => return None,
        };
        Some(Regularizer { l1, l2 })
    }

    /// The penalty; adds its gradient.
    pub fn penalize(self, weights: &[f32], gradient: Option<&mut [f32]>) -> f32 {
        let mut absolute = 0.0_f64;
        let mut squares = 0.0_f64;
        for &weight in weights {
            absolute += f64::from(weight.abs());
            squares += f64::from(weight) * f64::from(weight);
        }
        if let Some(gradient) = gradient {
            for (gradient, &weight) in gradient.iter_mut().zip(weights) {
                let sign = if weight == 0.0 { 0.0 } else { weight.signum() };
                *gradient += self.l1 * sign + 2.0 * self.l2 * weight;
            }
        }
        #[allow(clippy::cast_possible_truncation)]
        let penalty = (f64::from(self.l1) * absolute + f64::from(self.l2) * squares) as f32;
        penalty
    }
}
