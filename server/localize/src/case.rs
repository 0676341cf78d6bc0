//! One training, read for its diagnosis.

use std::cell::OnceCell;

use trace::{Fit, LayerInfo, Moment, Scalar, Stat, Tensor};

use crate::learning::{Learning, State};
use crate::text::number;
use crate::trend::median;

/// A training and what its causes keep asking about.
pub(crate) struct Case<'a> {
    pub fit: &'a Fit,
    /// Whether nothing more will come: the training finished or its budget is used up.
    pub complete: bool,
    /// Steps of this and of earlier trainings of the same model.
    pub steps: u64,
    /// Whether the labels are drawn at random, so that nobody expects anything to be learned.
    pub drawn: bool,
    /// Whether the labels are a part of more, taken by position.
    pub cut: bool,
    learning: OnceCell<Learning>,
    broken: OnceCell<Option<Broken>>,
}

/// The first value that was NaN or infinite.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub moment: Moment,
    /// The layer, unless it was the loss.
    pub layer: Option<usize>,
    pub tensor: Option<Tensor>,
    /// Loss of the last step before that had one.
    pub loss_before: Option<f64>,
}

impl<'a> Case<'a> {
    pub fn new(fit: &'a Fit, complete: bool) -> Self {
        Case {
            fit,
            complete,
            steps: fit.steps,
            drawn: false,
            cut: false,
            learning: OnceCell::new(),
            broken: OnceCell::new(),
        }
    }

    /// The same with so many steps of the model's earlier trainings.
    pub fn after(mut self, steps: u64) -> Self {
        self.steps += steps;
        self
    }

    /// The same with what the text says of the labels.
    pub fn with_drawn_labels(mut self, drawn: bool) -> Self {
        self.drawn = drawn;
        self
    }

    /// The same with what the text says of where the labels are taken from.
    pub fn with_cut_labels(mut self, cut: bool) -> Self {
        self.cut = cut;
        self
    }

    pub fn learning(&self) -> &Learning {
        self.learning.get_or_init(|| Learning::of(self.fit))
    }

    /// Whether the training is over and got nowhere: no better than a constant, or far behind simple models.
    pub fn fails(&self) -> bool {
        // Where all labels are the same there is nothing to be behind in.
        let varied = self.fit.y().is_none_or(|y| y.min != y.max);
        self.complete
            && varied
            && !self.drawn
            && self.broken().is_none()
            && matches!(self.learning().state(), State::Stuck | State::Behind)
    }

    /// Whether the training is over and has come clearly less far than simple models do, or after many steps nowhere, however its
    /// loss falls.
    pub fn lags(&self) -> bool {
        const STEPS: u64 = 1000;
        const MANY: u64 = 500;
        let over = self.fit.end.as_deref() == Some("finished") || self.steps >= STEPS;
        self.complete
            && over
            && !self.drawn
            && self.broken().is_none()
            && self.learning().state() != State::TooEarly
            && (self.learning().lagging() || self.steps >= MANY && self.learning().by_chance())
    }

    pub fn layers(&self) -> &'a [LayerInfo] {
        &self.fit.info.layers
    }

    pub fn loss_name(&self) -> &'a str {
        self.fit.info.loss_name()
    }

    /// Whether the loss is one of Keras' own.
    pub fn known_loss(&self) -> bool {
        const KNOWN: [&str; 6] = ["crossentropy", "mean_", "hinge", "huber", "log_cosh", "poisson"];
        KNOWN.iter().any(|part| self.loss_name().contains(part))
    }

    /// Squared error of the predictions over the variance of the labels: in the second quarter of the training and in its last.
    pub fn error_growth(&self) -> Option<(f64, f64)> {
        let column = |scalar| self.fit.scalar(scalar);
        let (sums, counts) = (column(Scalar::ResidualSquareSum), column(Scalar::LabelCount));
        let moments = self.fit.scalars().moments();
        let variance = self.fit.y()?.std.powi(2);
        let within = |from: f64, to: f64| {
            let steps = self.fit.steps as f64;
            median((0..sums.len()).filter_map(|row| {
                let part = moments[row].step as f64 / steps;
                (counts[row] > 0.0 && (from..to).contains(&part)).then(|| sums[row] / counts[row] / variance)
            }))
        };
        let (before, after) = (within(0.25, 0.5), within(0.75, 1.0));
        (before.is_finite() && after.is_finite() && self.fit.steps >= 20).then_some((before, after))
    }

    /// The layer whose activation shapes the output.
    pub fn head(&self) -> Option<&'a LayerInfo> {
        self.fit.info.head()
    }

    /// Units of the output.
    pub fn output_units(&self) -> Option<i64> {
        self.fit.info.output_units()
    }

    /// Layers with trainable weights, in forward order.
    pub fn weighted(&self) -> impl Iterator<Item = &'a LayerInfo> {
        self.layers()
            .iter()
            .filter(|layer| layer.trainable && layer.weights.iter().any(|weight| weight.trainable))
    }

    /// Layers of the network's inside that apply a non-linear activation.
    pub fn hidden_activations(&self) -> impl Iterator<Item = &'a LayerInfo> {
        let head = self.head().map(|layer| layer.index);
        self.layers().iter().filter(move |layer| {
            Some(layer.index) != head && layer.activation.as_deref().is_some_and(|name| name != "linear")
        })
    }

    /// Length of the update over length of the weight, per probed step.
    pub fn update_ratio(&self, layer: usize) -> Vec<f64> {
        let (Some(update), Some(weight)) = (
            self.fit.series(layer, Tensor::Update),
            self.fit.series(layer, Tensor::W),
        ) else {
            return Vec::new();
        };
        update
            .stat(Stat::L2)
            .iter()
            .zip(weight.stat(Stat::L2))
            .map(|(update, weight)| update / weight.max(1e-12))
            .collect()
    }

    /// Largest update ratio of any layer within the first probed steps.
    pub fn first_update_ratio(&self) -> Option<(&'a LayerInfo, f64)> {
        self.weighted()
            .filter_map(|layer| {
                let ratios = self.update_ratio(layer.index);
                let largest = ratios
                    .iter()
                    .take(5)
                    .copied()
                    .filter(|ratio| ratio.is_finite())
                    .fold(f64::NAN, f64::max);
                largest.is_finite().then_some((layer, largest))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Median update ratio over all layers and steps.
    pub fn typical_update_ratio(&self) -> f64 {
        median(
            self.weighted()
                .map(|layer| median(self.update_ratio(layer.index))),
        )
    }

    /// Standard deviation of a layer's kernel before the first step, over that of Glorot's initialisation.
    pub fn initial_scale(&self, layer: &LayerInfo) -> Option<f64> {
        let kernel = layer
            .weights
            .first()
            .filter(|weight| weight.name == "kernel" && weight.shape.len() >= 2)?;
        let series = self.fit.series(layer.index, Tensor::W)?;
        if series.history().moments().first()?.step != 0 {
            return None;
        }
        let sizes: Vec<f64> = kernel.shape.iter().map(|size| *size as f64).collect();
        let (units, inputs) = (sizes[sizes.len() - 1], sizes[sizes.len() - 2]);
        let field: f64 = sizes[..sizes.len() - 2].iter().product();
        let usual = (2.0 / (field * (units + inputs))).sqrt();
        series.first(Stat::Std).map(|std| std / usual)
    }

    /// A number of a layer's configuration.
    pub fn config(layer: &LayerInfo, name: &str) -> Option<f64> {
        layer.config.get(name)?.as_f64()
    }

    /// Whether not one weight has a gradient any more: training cannot go on from here.
    pub fn gradients_gone(&self) -> Option<Moment> {
        const STEPS: usize = 10;
        let mut since: Option<Moment> = None;
        let mut seen = 0;
        for layer in self.weighted() {
            for (row, series) in self.fit.all_series() {
                if row.layer != layer.index || row.tensor != Tensor::Dw {
                    continue;
                }
                let norms = series.stat(Stat::L2);
                // The bias of the output keeps its gradient when all units before it are dead: the network then only
                // learns the mean of the labels, so biases do not count as learning.
                if row.weight.as_deref().is_some_and(|name| name.contains("bias")) {
                    continue;
                }
                let flowing = norms.iter().rposition(|norm| *norm != 0.0);
                let first_zero = flowing.map_or(0, |position| position + 1);
                if norms.len() < first_zero + STEPS {
                    return None;
                }
                let moment = series.history().moments()[first_zero];
                since = Some(since.map_or(
                    moment,
                    |known| if known.step > moment.step { known } else { moment },
                ));
                seen += 1;
            }
        }
        since.filter(|_| seen > 0)
    }

    /// Whether nearly all units of a layer give the same for every sample, now; and since when.
    pub fn flat_since(&self, layer: usize) -> Option<Moment> {
        const SHARE: f64 = 0.99;
        let series = self.fit.series(layer, Tensor::V2)?;
        let flat = |row: usize| {
            let units = series.stat(Stat::Units)[row];
            units > 0.0 && series.stat(Stat::DeadUnits)[row] >= SHARE * units
        };
        let rows = series.history().len();
        let first = (0..rows).rev().take_while(|&row| flat(row)).last()?;
        (rows - first >= 5).then(|| series.history().moments()[first])
    }

    /// The first NaN or infinity in what the network computes.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.get_or_init(|| self.find_broken()).as_ref()
    }

    fn find_broken(&self) -> Option<Broken> {
        // Order in which a step computes things, so the earliest wins within a step.
        let order = |tensor: Tensor| match tensor {
            Tensor::W => 0,
            Tensor::V1 => 1,
            Tensor::V2 => 2,
            Tensor::Gout => 4,
            Tensor::Dw => 5,
            Tensor::Update => 6,
        };
        let mut first: Option<(u64, u8, usize, Broken)> = None;
        let mut consider = |step: u64, phase: u8, position: usize, broken: Broken| {
            if first
                .as_ref()
                .is_none_or(|known| (step, phase, position) < (known.0, known.1, known.2))
            {
                first = Some((step, phase, position, broken));
            }
        };
        for (row, series) in self.fit.all_series() {
            let bad = series
                .stat(Stat::Nans)
                .iter()
                .zip(series.stat(Stat::Infs))
                .position(|(nans, infs)| nans + infs > 0.0);
            let Some(bad) = bad else { continue };
            let moment = series.history().moments()[bad];
            // The backward pass runs from the last layer to the first.
            let position = if order(row.tensor) > 3 {
                usize::MAX - row.layer
            } else {
                row.layer
            };
            let broken = Broken {
                moment,
                layer: Some(row.layer),
                tensor: Some(row.tensor),
                loss_before: None,
            };
            consider(moment.step, order(row.tensor), position, broken);
        }
        let losses = self.fit.scalar(Scalar::Loss);
        let moments = self.fit.scalars().moments();
        if let Some(row) = losses.iter().position(|loss| !loss.is_finite()) {
            let broken = Broken {
                moment: moments[row],
                layer: None,
                tensor: None,
                loss_before: None,
            };
            consider(moments[row].step, 3, 0, broken);
        }
        let mut broken = first?.3;
        broken.loss_before = losses
            .iter()
            .zip(moments)
            .rfind(|(loss, moment)| loss.is_finite() && moment.step <= broken.moment.step)
            .map(|(loss, _)| *loss);
        Some(broken)
    }

    /// The loss over the first steps, for a sentence ("2.31 → 480 → 1e7").
    pub fn loss_story(&self) -> String {
        let losses: Vec<f64> = self.fit.scalar(Scalar::Loss).to_vec();
        let picks: Vec<String> = match losses.len() {
            0 => return String::new(),
            1..=4 => losses.iter().map(|loss| number(*loss)).collect(),
            count => [0, 1, 2, count - 1]
                .iter()
                .map(|&row| number(losses[row]))
                .collect(),
        };
        picks.join(" → ")
    }
}
