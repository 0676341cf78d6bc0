//! Intersection over union, from a confusion matrix of classes.

use serde_json::Value;

use super::Measure;
use crate::config::Config;
use crate::losses::{EPSILON, Pair};
use crate::{EngineError, Unsupported, View};

/// Most classes of one matrix.
const MOST_CLASSES: usize = 4096;

struct Iou {
    classes: usize,
    /// Whose mean is the result.
    targets: Vec<usize>,
    ignored: Option<i64>,
    /// Whether targets and predictions are numbers of classes, not one value for each class.
    sparse: (bool, bool),
    /// From this value on a prediction is class 1.
    threshold: Option<f32>,
    /// By class of the target and class of the prediction.
    matrix: Vec<f64>,
}

pub(super) fn read(name: &str, config: Config<'_>) -> Result<Option<Box<dyn Measure>>, Unsupported> {
    let one_hot = match name {
        "IoU" | "MeanIoU" | "BinaryIoU" => false,
        "OneHotIoU" | "OneHotMeanIoU" => true,
        _ => return Ok(None),
    };
    let binary = name == "BinaryIoU";
    // In whole numbers, as Keras counts unless told otherwise.
    config.only("dtype", &["int".into(), "int32".into(), "int64".into()])?;
    config.only("axis", &[Value::from(-1)])?;
    let classes = if binary { 2 } else { config.size("num_classes")? };
    if classes > MOST_CLASSES {
        return Err(config.not("num_classes"));
    }
    let targets = match config.get("target_class_ids") {
        _ if name.ends_with("MeanIoU") => (0..classes).collect(),
        None => vec![0, 1],
        Some(ids) => ids
            .as_array()
            .and_then(|ids| ids.iter().map(|id| usize::try_from(id.as_u64()?).ok()).collect())
            .filter(|ids: &Vec<usize>| ids.iter().all(|&id| id < classes))
            .ok_or_else(|| config.not("target_class_ids"))?,
    };
    Ok(Some(Box::new(Iou {
        classes,
        targets,
        ignored: match config.get("ignore_class") {
            None => None,
            Some(_) => Some(config.int("ignore_class", -1)?),
        },
        sparse: (
            !one_hot && config.flag("sparse_y_true", true)?,
            config.flag("sparse_y_pred", !one_hot)?,
        ),
        threshold: if binary {
            Some(config.f32("threshold", 0.5)?)
        } else {
            None
        },
        matrix: vec![0.0; classes * classes],
    })))
}

/// The classes that values stand for.
fn classes(values: &[f32], last: usize, sparse: bool) -> Vec<i64> {
    if sparse {
        return values.iter().map(|&value| value as i64).collect();
    }
    let largest = |row: &[f32]| super::mean::argmax(row) as i64;
    values.chunks(last.max(1)).map(largest).collect()
}

impl Measure for Iou {
    fn update(
        &mut self,
        pair: Pair<'_>,
        weights: Option<View<'_>>,
        _: Option<View<'_>>,
    ) -> Result<(), EngineError> {
        let last = |shape: &[usize]| shape.last().copied().unwrap_or(1);
        let truth = classes(pair.target.data, last(pair.target.shape), self.sparse.0);
        let found = match self.threshold {
            Some(from) => pair
                .prediction
                .data()
                .iter()
                .map(|&p| i64::from(p >= from))
                .collect(),
            None => classes(pair.prediction.data(), pair.prediction.last(), self.sparse.1),
        };
        let fits = weights.is_none_or(|weights| weights.data.len() == truth.len() || weights.data.len() == 1);
        if truth.len() != found.len() || !fits {
            return Err(EngineError::shape(
                "metric",
                format!(
                    "targets of shape {:?} for predictions of shape {:?}",
                    pair.target.shape,
                    pair.prediction.shape()
                ),
            ));
        }
        for (at, (&truth, &found)) in truth.iter().zip(&found).enumerate() {
            let place = |class: i64| usize::try_from(class).ok().filter(|&class| class < self.classes);
            if let (Some(row), Some(column)) = (place(truth), place(found))
                && self.ignored != Some(truth)
            {
                // Weights are cut to whole numbers, like everything here.
                let weight = weights.map_or(1.0, |weights| weights.data[at % weights.data.len()].trunc());
                self.matrix[row * self.classes + column] += f64::from(weight);
            }
        }
        Ok(())
    }

    fn result(&self) -> f64 {
        let (mut sum, mut valid) = (0.0, 0.0);
        for &class in &self.targets {
            let row: f64 = self.matrix[class * self.classes..][..self.classes].iter().sum();
            let column: f64 = self.matrix[class..].iter().step_by(self.classes).sum();
            let both = self.matrix[class * self.classes + class];
            let either = row + column - both;
            if either > 1e-9 {
                valid += 1.0;
                sum += both / (either + f64::from(EPSILON));
            }
        }
        sum / (valid + f64::from(EPSILON))
    }

    fn reset(&mut self) {
        self.matrix.fill(0.0);
    }
}
