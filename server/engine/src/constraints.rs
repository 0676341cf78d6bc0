//! Projections of weights after each update.

use serde_json::Value;

use crate::config::{Config, serialized};

/// Keras' `backend.epsilon()`.
const EPSILON: f32 = 1e-7;

/// A constraint on a weight.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// No negative values.
    NonNeg,
    /// Norm between two bounds; `rate` says how hard it is enforced.
    Norm {
        /// Axes over which the norm is taken.
        axes: Vec<i64>,
        /// What becomes of a norm.
        rule: NormRule,
    },
}

/// The three norm constraints of Keras.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NormRule {
    /// At most this.
    Max(f32),
    /// Exactly 1.
    Unit,
    /// Between, with a rate.
    MinMax(f32, f32, f32),
}

impl Constraint {
    /// Reads a serialised constraint; `None` when it is not covered.
    pub fn read(value: &Value) -> Option<Self> {
        let (name, config) = serialized(value)?;
        let config = Config::new("constraint", config);
        let axes = match config.get("axis") {
            None => vec![0],
            Some(Value::Array(items)) => items.iter().map(Value::as_i64).collect::<Option<_>>()?,
            Some(one) => vec![one.as_i64()?],
        };
        let rule = match name {
            "NonNeg" | "non_neg" => return Some(Constraint::NonNeg),
            "MaxNorm" | "max_norm" => NormRule::Max(config.f32("max_value", 2.0).ok()?),
            "UnitNorm" | "unit_norm" => NormRule::Unit,
            "MinMaxNorm" | "min_max_norm" => NormRule::MinMax(
                config.f32("min_value", 0.0).ok()?,
                config.f32("max_value", 1.0).ok()?,
                config.f32("rate", 1.0).ok()?,
            ),
            _ => return None,
        };
        Some(Constraint::Norm { axes, rule })
    }

    /// Projects a weight.
    pub fn project(&self, shape: &[usize], values: &mut [f32]) {
        match self {
            Constraint::NonNeg => {
                for value in values {
                    *value = if *value < 0.0 { 0.0 } else { *value };
                }
            }
            Constraint::Norm { axes, rule } => project_norms(shape, values, axes, *rule),
        }
    }
}

fn project_norms(shape: &[usize], values: &mut [f32], axes: &[i64], rule: NormRule) {
    let rank = shape.len();
    let reduced = |axis: usize| {
        axes.iter()
            .any(|&given| given == axis as i64 || given + rank as i64 == axis as i64)
    };
    // Index of the group an element belongs to: its position with the reduced axes left out.
    let mut strides = vec![0_usize; rank];
    let mut groups = 1;
    for axis in (0..rank).rev() {
        if !reduced(axis) {
            strides[axis] = groups;
            groups *= shape[axis];
        }
    }
    let group = |mut index: usize| {
        let mut at = 0;
        for axis in (0..rank).rev() {
            at += index % shape[axis] * strides[axis];
            index /= shape[axis];
        }
        at
    };
    let mut squares = vec![0.0_f32; groups];
    for (index, &value) in values.iter().enumerate() {
        squares[group(index)] += value * value;
    }
    let factors: Vec<f32> = squares
        .iter()
        .map(|&sum| {
            let norm = sum.sqrt();
            match rule {
                NormRule::Max(most) => norm.clamp(0.0, most.max(0.0)) / (EPSILON + norm),
                NormRule::Unit => 1.0 / (EPSILON + norm),
                NormRule::MinMax(least, most, rate) => {
                    let wanted = rate * norm.max(least).min(most) + (1.0 - rate) * norm;
                    wanted / (EPSILON + norm)
                }
            }
        })
        .collect();
    for (index, value) in values.iter_mut().enumerate() {
        *value *= factors[group(index)];
    }
}
