//! The losses of Keras.

mod crossentropy;
mod reduce;
mod regression;
mod samples;
mod whole;

use serde_json::Value;

use crate::config::{Config, serialized, snake};
use crate::{EngineError, Tensor, Unsupported, View};

pub(crate) use reduce::{Reduction, broadcast};

/// Keras' `backend.epsilon()`.
pub(crate) const EPSILON: f32 = 1e-7;

/// What a loss computes for one row of outputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A sum or mean over the outputs of a row.
    Row(regression::Row),
    /// Cross-entropy and its relatives.
    Entropy(crossentropy::Entropy),
    /// Over the whole batch.
    Whole(whole::Whole),
    /// One number for each sample.
    Samples(samples::Samples),
}

/// A loss with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Loss {
    /// Its name, as Keras uses it in logs.
    pub name: String,
    pub kind: Kind,
    pub reduction: Reduction,
}

/// Where a loss reads and where its gradient goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uses {
    pub prediction: bool,
    pub logits: bool,
}

/// One output of the model against its targets.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub target: View<'a>,
    pub prediction: &'a Tensor,
    /// The remembered logits, where there are some and they are to be used.
    pub logits: Option<&'a Tensor>,
}

/// Where to put gradients.
pub(crate) struct Gradients<'a> {
    pub prediction: Option<&'a mut [f32]>,
    pub logits: Option<&'a mut [f32]>,
}

/// Names of all losses, for the documentation.
pub const NAMES: &[&str] = &[
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "Hinge",
    "SquaredHinge",
    "CategoricalHinge",
    "KLDivergence",
    "Poisson",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "SparseCategoricalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "Dice",
    "Tversky",
    "CTC",
    "Circle",
];

impl Loss {
    /// Reads a serialised loss; `shapes` are those of target and prediction, which decide what `crossentropy` means.
    pub fn read(value: &Value, target: &[usize], prediction: &[usize]) -> Result<Self, Unsupported> {
        let place = || Unsupported::new("loss", value.to_string().chars().take(80).collect::<String>());
        let (given, arguments) = serialized(value).ok_or_else(place)?;
        let config = Config::new("loss", arguments);
        let canonical = canonical(given);
        let canonical = match canonical.as_str() {
            "crossentropy" | "ce" => match which_crossentropy(target, prediction) {
                Output::Binary => "binary_crossentropy".into(),
                Output::Sparse => "sparse_categorical_crossentropy".into(),
                Output::OneHot => "categorical_crossentropy".into(),
            },
            _ => canonical,
        };
        let kind = kind(&canonical, config, value.is_string())?.ok_or_else(place)?;
        config
            .only("axis", &[Value::from(-1)])
            .or_else(|error| match kind {
                Kind::Whole(_) | Kind::Samples(_) => Ok(()),
                _ => Err(error),
            })?;
        Ok(Loss {
            name: config.text("name", given)?.to_owned(),
            kind,
            reduction: Reduction::read(config)?,
        })
    }

    /// Its name in snake case, as the trace gives it.
    pub fn canonical_name(&self) -> &str {
        match &self.kind {
            Kind::Row(row) => row.name(),
            Kind::Entropy(entropy) => entropy.name(),
            Kind::Whole(_) => "overlap",
            Kind::Samples(samples::Samples::Ctc) => "ctc",
            Kind::Samples(_) => "circle",
        }
    }

    /// Whether the predictions are said to be logits.
    pub fn takes_logits(&self) -> bool {
        matches!(&self.kind, Kind::Entropy(entropy) if entropy.takes_logits())
    }

    /// Where it reads when remembered logits are there or not.
    pub fn uses(&self, remembered: bool) -> Uses {
        match &self.kind {
            Kind::Entropy(entropy) if remembered => entropy.uses(),
            _ => Uses {
                prediction: true,
                logits: false,
            },
        }
    }

    /// The loss of each row, `prediction.shape()[..-1]`, and which rows count (of classes to ignore).
    pub fn values(&self, pair: Pair<'_>, values: &mut Vec<f32>) -> Result<Option<Vec<f32>>, EngineError> {
        let mut none = Gradients {
            prediction: None,
            logits: None,
        };
        let valid = self.valid(pair)?;
        match &self.kind {
            Kind::Row(row) => row.run(pair, None, &mut none, values)?,
            Kind::Entropy(entropy) => entropy.run(pair, None, &mut none, values)?,
            Kind::Whole(whole) => whole.run(pair, None, &mut none, values)?,
            Kind::Samples(samples) => samples.run(pair, None, &mut none, values)?,
        }
        Ok(valid)
    }

    /// Which rows count.
    fn valid(&self, pair: Pair<'_>) -> Result<Option<Vec<f32>>, EngineError> {
        match &self.kind {
            Kind::Entropy(entropy) => entropy.valid(pair),
            Kind::Samples(samples) => samples.valid(pair),
            _ => Ok(None),
        }
    }

    /// The reduced loss; adds its gradient, times `scale`.
    pub fn reduced(
        &self,
        pair: Pair<'_>,
        weights: Option<View<'_>>,
        mask: Option<View<'_>>,
        scale: f32,
        gradients: &mut Gradients<'_>,
    ) -> Result<f32, EngineError> {
        let shape = self.value_shape(pair);
        let valid = self.valid(pair)?;
        let (coefficients, divisor) = self
            .reduction
            .coefficients(&shape, weights, mask, valid.as_deref())?;
        let per_value: Vec<f32> = coefficients
            .iter()
            .map(|&weight| scale * weight / divisor)
            .collect();
        let mut values = Vec::new();
        match &self.kind {
            Kind::Row(row) => row.run(pair, Some(&per_value), gradients, &mut values)?,
            Kind::Entropy(entropy) => entropy.run(pair, Some(&per_value), gradients, &mut values)?,
            Kind::Whole(whole) => whole.run(pair, Some(&per_value), gradients, &mut values)?,
            Kind::Samples(samples) => samples.run(pair, Some(&per_value), gradients, &mut values)?,
        }
        let mut total = 0.0_f64;
        for (&value, &weight) in values.iter().zip(&coefficients) {
            total += f64::from(value) * f64::from(weight);
        }
        #[allow(clippy::cast_possible_truncation)]
        let total = match self.reduction {
            Reduction::None => total / values.len().max(1) as f64,
            _ => total / f64::from(divisor),
        } as f32;
        Ok(total)
    }

    fn value_shape(&self, pair: Pair<'_>) -> Vec<usize> {
        match &self.kind {
            Kind::Whole(whole) => whole.value_shape(pair),
            Kind::Samples(_) => pair.prediction.shape()[..pair.prediction.rank().min(1)].to_vec(),
            _ => {
                let shape = pair.prediction.shape();
                shape[..shape.len().saturating_sub(1)].to_vec()
            }
        }
    }
}

/// What kind of classes the shapes of target and prediction stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Binary,
    Sparse,
    OneHot,
}

/// As Keras chooses between the three kinds of `accuracy` and `crossentropy`.
pub(crate) fn which_crossentropy(target: &[usize], prediction: &[usize]) -> Output {
    let last = |shape: &[usize]| shape.last().copied().unwrap_or(1);
    if last(prediction) == 1 {
        Output::Binary
    } else if target.len() < prediction.len() || last(target) == 1 {
        Output::Sparse
    } else {
        Output::OneHot
    }
}

/// The full snake-case name.
pub(crate) fn canonical(name: &str) -> String {
    let name = match name {
        "KLDivergence" => "kl_divergence".to_owned(),
        "CTC" => "ctc".to_owned(),
        _ => snake(name),
    };
    match name.as_str() {
        "mse" => "mean_squared_error",
        "mae" => "mean_absolute_error",
        "mape" => "mean_absolute_percentage_error",
        "msle" => "mean_squared_logarithmic_error",
        "bce" => "binary_crossentropy",
        "logcosh" => "log_cosh",
        "kld" | "kullback_leibler_divergence" => "kl_divergence",
        "cosine" => "cosine_similarity",
        "mean_absolute_percentage_error" | "mean_squared_logarithmic_error" => return name,
        _ => return name,
    }
    .to_owned()
}

/// The loss of that name; `None` when there is none. `bare`: given by name alone, all arguments at their defaults.
pub(crate) fn kind(name: &str, config: Config<'_>, bare: bool) -> Result<Option<Kind>, Unsupported> {
    if let Some(row) = regression::Row::read(name, config, bare)? {
        return Ok(Some(Kind::Row(row)));
    }
    if let Some(entropy) = crossentropy::Entropy::read(name, config)? {
        return Ok(Some(Kind::Entropy(entropy)));
    }
    if let Some(samples) = samples::Samples::read(name, config)? {
        return Ok(Some(Kind::Samples(samples)));
    }
    Ok(whole::Whole::read(name, config)?.map(Kind::Whole))
}

/// Whether the target goes with the prediction, and how many targets there are for a row of `columns`.
///
/// Keras adds or drops a last axis of size 1; beyond that TensorFlow stretches a last axis of size 1.
fn columns(pair: Pair<'_>) -> Result<(usize, usize), EngineError> {
    let (target, prediction) = (pair.target.shape, pair.prediction.shape());
    let wide = pair.prediction.last();
    let same = target == prediction
        || [target, &[1]].concat() == prediction
        || [prediction, &[1]].concat() == target;
    if same {
        return Ok((wide, wide));
    }
    let front = |shape: &[usize]| shape[..shape.len().saturating_sub(1)].to_vec();
    let last = target.last().copied().unwrap_or(1);
    if target.len() == prediction.len() && front(target) == front(prediction) && (last == 1 || wide == 1) {
        return Ok((last, wide));
    }
    Err(EngineError::shape(
        "loss",
        format!("targets of shape {target:?} for predictions of shape {prediction:?}"),
    ))
}
