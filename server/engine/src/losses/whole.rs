//! Overlap losses, which look at whole samples or at the whole batch at once.

use serde_json::Value;

use super::{EPSILON, Gradients, Pair};
use crate::config::Config;
use crate::{EngineError, Unsupported};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Whole {
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Dice,
    /// With alpha and beta.
    Tversky(f32, f32),
}

impl Whole {
    pub fn read(name: &str, config: Config<'_>) -> Result<Option<Self>, Unsupported> {
        let form = match name {
            "dice" => Form::Dice,
            "tversky" => Form::Tversky(config.f32("alpha", 0.5)?, config.f32("beta", 0.5)?),
            _ => return Ok(None),
        };
        if let Some(axis) = config.get("axis")
            && *axis != Value::Null
        {
            return Err(config.not("axis"));
        }
        Ok(Some(Whole { form }))
    }

    /// One number for the whole batch.
    pub fn value_shape(&self, _: Pair<'_>) -> Vec<usize> {
        Vec::new()
    }

    pub fn run(
        &self,
        pair: Pair<'_>,
        coefficients: Option<&[f32]>,
        gradients: &mut Gradients<'_>,
        values: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let (t, p) = (pair.target.data, pair.prediction.data());
        if t.len() != p.len() {
            return Err(EngineError::shape(
                "loss",
                format!(
                    "targets of shape {:?} for predictions of shape {:?}",
                    pair.target.shape,
                    pair.prediction.shape()
                ),
            ));
        }
        let c = coefficients.and_then(|list| list.first()).copied();
        let both: f32 = t.iter().zip(p).map(|(t, p)| t * p).sum();
        let (ts, ps): (f32, f32) = (t.iter().sum(), p.iter().sum());
        // Value and derivatives by the overlap, the sum of the predictions.
        let (value, by_both, by_sum) = match self.form {
            Form::Dice => {
                let below = ts + ps + EPSILON;
                (
                    1.0 - 2.0 * both / below,
                    -2.0 / below,
                    2.0 * both / (below * below),
                )
            }
            Form::Tversky(alpha, beta) => {
                let below = both + alpha * (ts - both) + beta * (ps - both) + EPSILON;
                let slope = 1.0 - alpha - beta;
                let square = below * below;
                (
                    1.0 - both / below,
                    -(below - both * slope) / square,
                    both * beta / square,
                )
            }
        };
        values.push(value);
        if let (Some(c), Some(gradient)) = (c, gradients.prediction.as_deref_mut()) {
            for (g, &t) in gradient.iter_mut().zip(t) {
                *g += c * (by_both * t + by_sum);
            }
        }
        Ok(())
    }
}
