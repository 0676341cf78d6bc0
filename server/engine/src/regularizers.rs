//! Penalties on weights and outputs.

use serde_json::Value;

use crate::config::{Config, serialized};

/// Keras' floor of a length that is divided by.
const FLOOR: f32 = 1e-7;

/// A penalty on the values of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Regularizer {
    /// `l1 · Σ|w| + l2 · Σw²`.
    Size {
        /// Factor of the absolute values.
        l1: f32,
        /// Factor of the squares.
        l2: f32,
    },
    /// The mean absolute cosine of two rows, or columns, of a matrix.
    Orthogonal {
        /// What it is multiplied by.
        factor: f32,
        /// Rows, not columns.
        rows: bool,
    },
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
            "OrthogonalRegularizer" | "orthogonal_regularizer" => {
                return Some(Regularizer::Orthogonal {
                    factor: config.f32("factor", 0.01).ok()?,
                    rows: config.text("mode", "rows").ok()? == "rows",
                });
            }
            _ => return None,
        };
        Some(Regularizer::Size { l1, l2 })
    }

    /// Whether it can be put on a tensor of that rank.
    pub fn fits(self, rank: usize) -> bool {
        matches!(self, Regularizer::Size { .. }) || rank == 2
    }

    /// The penalty; adds its gradient.
    pub fn penalize(self, shape: &[usize], weights: &[f32], gradient: Option<&mut [f32]>) -> f32 {
        match self {
            Regularizer::Size { l1, l2 } => size(l1, l2, weights, gradient),
            Regularizer::Orthogonal { factor, rows } => {
                let columns = shape.last().copied().unwrap_or(1);
                let strides = if rows { (columns, 1) } else { (1, columns) };
                let count = weights.len() / columns.max(1);
                let sizes = if rows { (count, columns) } else { (columns, count) };
                orthogonal(factor, sizes, strides, weights, gradient)
            }
        }
    }
}

fn size(l1: f32, l2: f32, weights: &[f32], gradient: Option<&mut [f32]>) -> f32 {
    let mut absolute = 0.0_f64;
    let mut squares = 0.0_f64;
    for &weight in weights {
        absolute += f64::from(weight.abs());
        squares += f64::from(weight) * f64::from(weight);
    }
    if let Some(gradient) = gradient {
        for (gradient, &weight) in gradient.iter_mut().zip(weights) {
            *gradient += l1 * sign(weight) + 2.0 * l2 * weight;
        }
    }
    #[allow(clippy::cast_possible_truncation)]
    let penalty = (f64::from(l1) * absolute + f64::from(l2) * squares) as f32;
    penalty
}

fn sign(value: f32) -> f32 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

/// `count` vectors of `length`; `outer` and `inner` are the distances of two vectors and of two of their elements.
fn orthogonal(
    factor: f32,
    (count, length): (usize, usize),
    (outer, inner): (usize, usize),
    weights: &[f32],
    gradient: Option<&mut [f32]>,
) -> f32 {
    let place = |vector: usize, at: usize| vector * outer + at * inner;
    let lengths: Vec<f32> = (0..count)
        .map(|vector| {
            let square: f32 = (0..length).map(|at| weights[place(vector, at)].powi(2)).sum();
            square.sqrt().max(FLOOR)
        })
        .collect();
    let normal = |vector: usize, at: usize| weights[place(vector, at)] / lengths[vector];
    let scale = factor / (count as f32 * (count as f32 - 1.0));
    let mut total = 0.0;
    // Of each normalised vector.
    let mut slopes = vec![0.0_f32; weights.len()];
    for a in 0..count {
        for b in (0..count).filter(|&b| b != a) {
            let cosine: f32 = (0..length).map(|at| normal(a, at) * normal(b, at)).sum();
            total += cosine.abs();
            for at in 0..length {
                slopes[place(a, at)] += 2.0 * scale * sign(cosine) * normal(b, at);
            }
        }
    }
    if let Some(gradient) = gradient {
        for (vector, &long) in lengths.iter().enumerate() {
            let along: f32 = (0..length)
                .map(|at| slopes[place(vector, at)] * normal(vector, at))
                .sum();
            for at in 0..length {
                let here = place(vector, at);
                gradient[here] += (slopes[here] - normal(vector, at) * along) / long;
            }
        }
    }
    scale * total
}
