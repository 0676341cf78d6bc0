//! The usual metrics of Keras, as running values over an epoch.

mod confusion;
mod iou;
mod mean;
mod scores;

use serde_json::Value;

use crate::config::{Config, serialized};
use crate::losses::{Output, Pair, canonical, which_crossentropy};
use crate::{EngineError, Unsupported, View};

/// A metric that keeps its state over the batches of an epoch.
pub(crate) trait Measure: Send {
    /// Takes in a batch.
    fn update(
        &mut self,
        pair: Pair<'_>,
        weights: Option<View<'_>>,
        mask: Option<View<'_>>,
    ) -> Result<(), EngineError>;
    /// The value so far.
    fn result(&self) -> f64;
    /// Starts anew.
    fn reset(&mut self);
}

/// A metric under its name in the logs.
pub(crate) struct Metric {
    pub name: String,
    pub measure: Box<dyn Measure>,
}

/// Names of all metrics, for the documentation.
pub const NAMES: &[&str] = &[
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "MeanSquaredError",
    "RootMeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "CosineSimilarity",
    "LogCoshError",
    "KLDivergence",
    "Poisson",
    "Hinge",
    "SquaredHinge",
    "CategoricalHinge",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "Precision",
    "Recall",
    "TruePositives",
    "TrueNegatives",
    "FalsePositives",
    "FalseNegatives",
    "AUC",
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "IoU",
    "MeanIoU",
    "BinaryIoU",
    "OneHotIoU",
    "OneHotMeanIoU",
    "F1Score",
    "FBetaScore",
    "R2Score",
    "PearsonCorrelation",
    "ConcordanceCorrelation",
];

impl Metric {
    /// Reads a serialised metric, or its name; the shapes decide what `accuracy` means.
    pub fn read(value: &Value, target: &[usize], prediction: &[usize]) -> Result<Self, Unsupported> {
        let refused = || Unsupported::new("metric", value.to_string().chars().take(80).collect::<String>());
        let (given, arguments) = serialized(value).ok_or_else(refused)?;
        let place = format!("metric {given}");
        let config = Config::new(&place, arguments);
        let chosen = match (given, which_crossentropy(target, prediction)) {
            ("accuracy" | "acc", _) if !value.is_string() => return Err(refused()),
            ("accuracy" | "acc", Output::Binary) => "binary_accuracy".to_owned(),
            ("accuracy" | "acc", Output::Sparse) => "sparse_categorical_accuracy".to_owned(),
            ("accuracy" | "acc", Output::OneHot) => "categorical_accuracy".to_owned(),
            ("AUC", _) => "auc".to_owned(),
            _ => canonical(given),
        };
        // Overlaps are known by their class alone, whose names have no agreed form in small letters.
        let mut measure = iou::read(given, config)?;
        for read in [mean::read, confusion::read, scores::read] {
            if measure.is_none() {
                measure = read(&chosen, config)?;
            }
        }
        Ok(Metric {
            name: config.text("name", given)?.to_owned(),
            measure: measure.ok_or_else(refused)?,
        })
    }
}
