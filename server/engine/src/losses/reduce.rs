//! From the losses of rows to one number.

use crate::config::Config;
use crate::{EngineError, Unsupported, View};

/// How Keras sums the losses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    /// `sum_over_batch_size`, `mean`.
    Mean,
    /// `sum`.
    Sum,
    /// `mean_with_sample_weight`.
    WeightedMean,
    /// `none`: the gradient is that of the sum, and the logs show the mean.
    None,
}

impl Reduction {
    pub fn read(config: Config<'_>) -> Result<Self, Unsupported> {
        if config.is_null("reduction") {
            return Ok(Reduction::None);
        }
        match config.text("reduction", "sum_over_batch_size")? {
            "none" => Ok(Reduction::None),
            "sum_over_batch_size" | "mean" => Ok(Reduction::Mean),
            "sum" => Ok(Reduction::Sum),
            "mean_with_sample_weight" => Ok(Reduction::WeightedMean),
            _ => Err(config.not("reduction")),
        }
    }

    /// The weight of each value and what the weighted sum is divided by.
    pub fn coefficients(
        self,
        shape: &[usize],
        weights: Option<View<'_>>,
        mask: Option<View<'_>>,
        valid: Option<&[f32]>,
    ) -> Result<(Vec<f32>, f32), EngineError> {
        let count = shape.iter().product::<usize>();
        let mut coefficients = match weights {
            Some(weights) => broadcast(weights, shape)?,
            None => vec![1.0; count],
        };
        let mut weighted = weights.is_some();
        let mut keep: Option<Vec<f32>> = mask.map(|mask| broadcast(mask, shape)).transpose()?;
        if let Some(valid) = valid {
            let both = match keep {
                Some(keep) => keep.iter().zip(valid).map(|(a, b)| a * b).collect(),
                None => valid.to_vec(),
            };
            keep = Some(both);
        }
        if let Some(keep) = keep {
            weighted = true;
            let scale = if self == Reduction::Mean {
                let real: f32 = keep.iter().sum();
                if real == 0.0 {
                    0.0
                } else {
                    keep.len() as f32 / real
                }
            } else {
                1.0
            };
            for (coefficient, &keep) in coefficients.iter_mut().zip(&keep) {
                *coefficient = if keep == 0.0 { 0.0 } else { *coefficient * scale };
            }
        }
        let divisor = match self {
            Reduction::Sum | Reduction::None => 1.0,
            Reduction::WeightedMean if weighted => coefficients.iter().sum(),
            _ => count as f32,
        };
        if divisor == 0.0 {
            coefficients.fill(0.0);
            return Ok((coefficients, 1.0));
        }
        Ok((coefficients, divisor))
    }
}

/// Weights or a mask in the shape of the values: a last axis of size 1 added or dropped, then NumPy's rules.
pub(crate) fn broadcast(weights: View<'_>, shape: &[usize]) -> Result<Vec<f32>, EngineError> {
    if weights.shape == shape {
        return Ok(weights.data.to_vec());
    }
    let mut own = weights.shape.to_vec();
    if own.len() == shape.len() + 1 && own.last() == Some(&1) {
        own.pop();
    } else if own.len() + 1 == shape.len() && shape.last() == Some(&1) {
        own.push(1);
    }
    let bad = || {
        EngineError::shape(
            "sample weights",
            format!("shape {:?} for losses of shape {shape:?}", weights.shape),
        )
    };
    if own.len() > shape.len() {
        return Err(bad());
    }
    let own: Vec<usize> = std::iter::repeat_n(1, shape.len() - own.len())
        .chain(own)
        .collect();
    if own.iter().zip(shape).any(|(&own, &wide)| own != wide && own != 1) {
        return Err(bad());
    }
    let count: usize = shape.iter().product();
    Ok((0..count)
        .map(|index| {
            let (mut rest, mut at, mut stride) = (index, 0, 1);
            for axis in (0..shape.len()).rev() {
                let here = rest % shape[axis];
                rest /= shape[axis];
                if own[axis] != 1 {
                    at += here * stride;
                }
                stride *= own[axis];
            }
            weights.data[at]
        })
        .collect())
}
