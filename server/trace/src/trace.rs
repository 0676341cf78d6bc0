use std::collections::BTreeMap;

use crate::history::Moment;
use crate::{
    DataInfo, EpochMessage, EvaluateMessage, ExceptionMessage, ExitMessage, FallbackMessage, FaultMessage,
    FitMessage, Frame, GaugeMessage, History, KerasMessage, LayoutMessage, LayoutRow, MechanismMessage,
    Message, NoticeMessage, StartMessage, StepFrame, Tensor,
};

macro_rules! names {
    ($(#[$outer:meta])* $type:ident { $($(#[$inner:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type { $($(#[$inner])* $variant,)* }

        impl $type {
            /// All of them, in column order.
            pub const ALL: &'static [$type] = &[$($type::$variant,)*];
            /// Name on the channel.
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }
        }
    };
}

names! {
    /// A number that belongs to a whole step.
    Scalar {
        /// Loss of the batch.
        Loss = "loss",
        /// Learning rate in force.
        LearningRate = "learning_rate",
        /// Samples in the batch.
        BatchSize = "batch_size",
        /// Share of right answers; NaN for regression.
        Hits = "hits",
        /// Sum of the labels.
        LabelSum = "label_sum",
        /// Sum of their squares.
        LabelSquareSum = "label_square_sum",
        /// Number of label elements.
        LabelCount = "label_count",
        /// Sum of squares of label minus prediction.
        ResidualSquareSum = "residual_square_sum",
        /// Mean over output units of the standard deviation over samples.
        PredictionSpread = "prediction_spread",
        /// Smallest prediction.
        PredictionMin = "prediction_min",
        /// Largest prediction.
        PredictionMax = "prediction_max",
        /// Share of the most frequent predicted class; NaN where predictions are not classes.
        PredictionMajority = "prediction_majority",
    }
}

names! {
    /// A statistic of one tensor.
    Stat {
        /// Elements.
        Count = "count",
        /// Mean of the finite ones.
        Mean = "mean",
        /// Standard deviation of the finite ones.
        Std = "std",
        /// Smallest finite one.
        Min = "min",
        /// Largest finite one.
        Max = "max",
        /// Largest absolute value.
        AbsMax = "absmax",
        /// Euclidean norm.
        L2 = "l2",
        /// Elements equal to 0.
        Zeros = "zeros",
        /// NaNs.
        Nans = "nans",
        /// Infinities.
        Infs = "infs",
        /// Units (length of the unit axis).
        Units = "units",
        /// Units that are 0 for every sample and position.
        DeadUnits = "dead_units",
        /// Units that do not vary over samples and positions.
        ConstantUnits = "constant_units",
        /// Share of elements in the flat part of the activation.
        Saturated = "saturated",
        /// Mean over units of the standard deviation over samples.
        Spread = "spread",
        /// Units in the same flat part of the activation for every sample and position.
        SaturatedUnits = "saturated_units",
        /// Share of the finite elements in the first tenth between the least and the greatest.
        Bin0 = "bin_0",
        /// In the second.
        Bin1 = "bin_1",
        /// In the third.
        Bin2 = "bin_2",
        /// In the fourth.
        Bin3 = "bin_3",
        /// In the fifth.
        Bin4 = "bin_4",
        /// In the sixth.
        Bin5 = "bin_5",
        /// In the seventh.
        Bin6 = "bin_6",
        /// In the eighth.
        Bin7 = "bin_7",
        /// In the ninth.
        Bin8 = "bin_8",
        /// In the last.
        Bin9 = "bin_9",
    }
}

impl Stat {
    /// The bins of the histogram, from the least values to the greatest.
    pub const BINS: &'static [Stat] = &[
        Stat::Bin0,
        Stat::Bin1,
        Stat::Bin2,
        Stat::Bin3,
        Stat::Bin4,
        Stat::Bin5,
        Stat::Bin6,
        Stat::Bin7,
        Stat::Bin8,
        Stat::Bin9,
    ];
}

/// Numbers that all trainings together keep, of 8 bytes: 16 MB, and at worst twice that.
const MOST_CELLS: usize = 2_000_000;
/// Rows that a history keeps, however large the network is.
const FEWEST_ROWS: usize = 64;
/// Probed steps between two looks at the memory.
const LOOK_EVERY: u64 = 16;

/// One probed tensor over time: a matrix `[step, Stat]`.
#[derive(Clone, Debug)]
pub struct Series {
    history: History,
}

impl Series {
    fn new() -> Self {
        Series {
            history: History::new(Stat::ALL.len()),
        }
    }

    /// The matrix behind it.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// One statistic over time.
    pub fn stat(&self, stat: Stat) -> ndarray::ArrayView1<'_, f64> {
        self.history.column(stat as usize)
    }

    /// The last `count` values of one statistic.
    pub fn tail(&self, stat: Stat, count: usize) -> ndarray::ArrayView1<'_, f64> {
        self.history.tail(stat as usize, count)
    }

    /// The latest value of one statistic.
    pub fn last(&self, stat: Stat) -> Option<f64> {
        self.stat(stat).last().copied()
    }

    /// The first value of one statistic.
    pub fn first(&self, stat: Stat) -> Option<f64> {
        self.stat(stat).first().copied()
    }
}

/// How the columns of the frames map to the columns of the histories.
#[derive(Clone, Debug)]
struct Layout {
    scalars: Vec<Option<usize>>,
    metrics: Vec<(usize, String)>,
    stats: Vec<Option<usize>>,
    rows: Vec<LayoutRow>,
}

impl Layout {
    fn new(message: LayoutMessage) -> Self {
        let position = |names: &[String], name: &str| names.iter().position(|candidate| candidate == name);
        Layout {
            scalars: Scalar::ALL
                .iter()
                .map(|scalar| position(&message.scalars, scalar.name()))
                .collect(),
            metrics: message
                .scalars
                .iter()
                .enumerate()
                .filter_map(|(index, name)| Some((index, name.strip_prefix("metric:")?.to_owned())))
                .collect(),
            stats: Stat::ALL
                .iter()
                .map(|stat| position(&message.stats, stat.name()))
                .collect(),
            rows: message.rows,
        }
    }
}

/// Gauges kept of a training. Steps are gauged ever more rarely, so this is more than there are.
const MOST_GAUGES: usize = 256;

/// Evaluations kept of a training.
const MOST_EVALUATED: usize = 16;

/// One training: what is known of it and what it did.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Model, optimizer, loss and data.
    pub info: FitMessage,
    /// Logs of the finished epochs.
    pub epochs: Vec<EpochMessage>,
    /// How it ended; `None` while it runs.
    pub end: Option<String>,
    /// The first number that became NaN or infinite, where an engine has seen it.
    pub fault: Option<FaultMessage>,
    /// What the model was evaluated with afterwards.
    pub evaluated: Vec<EvaluateMessage>,
    /// Steps that an engine has gauged.
    pub gauges: Vec<GaugeMessage>,
    /// Steps seen.
    pub steps: u64,
    /// Steps probed.
    pub probed: u64,
    layouts: BTreeMap<u32, Layout>,
    /// Rows that the histories of tensors keep.
    capacity: usize,
    scalars: History,
    metrics: BTreeMap<String, History>,
    series: BTreeMap<LayoutRow, Series>,
}

impl Fit {
    fn new(info: FitMessage) -> Self {
        Fit {
            info,
            epochs: Vec::new(),
            end: None,
            fault: None,
            evaluated: Vec::new(),
            gauges: Vec::new(),
            steps: 0,
            probed: 0,
            layouts: BTreeMap::new(),
            capacity: History::CAPACITY,
            scalars: History::new(Scalar::ALL.len()),
            metrics: BTreeMap::new(),
            series: BTreeMap::new(),
        }
    }

    fn step(&mut self, frame: &StepFrame) {
        let Some(layout) = self.layouts.get(&frame.layout) else {
            return;
        };
        let moment = Moment {
            step: frame.step,
            epoch: frame.epoch,
            batch: frame.batch,
        };
        let pick = |values: &[f64], column: Option<usize>| {
            column
                .and_then(|column| values.get(column))
                .copied()
                .unwrap_or(f64::NAN)
        };
        self.steps = self.steps.max(frame.step + 1);
        // A trace that was read from a file may know of an old step only what was probed.
        if !frame.scalars.is_empty() {
            self.scalars.push(
                moment,
                layout.scalars.iter().map(|&column| pick(&frame.scalars, column)),
            );
            for (column, name) in &layout.metrics {
                let history = self
                    .metrics
                    .entry(name.clone())
                    .or_insert_with(|| History::new(1));
                history.push(moment, [pick(&frame.scalars, Some(*column))]);
            }
        }
        if frame.rows == 0 {
            return;
        }
        self.probed += 1;
        let width = frame.stats.len() / frame.rows;
        for (row, values) in layout.rows.iter().zip(frame.stats.chunks_exact(width.max(1))) {
            let series = match self.series.get_mut(row) {
                Some(series) => series,
                None => {
                    let series = self.series.entry(row.clone()).or_insert_with(Series::new);
                    series.history.limit(self.capacity);
                    series
                }
            };
            series
                .history
                .push(moment, layout.stats.iter().map(|&column| pick(values, column)));
        }
    }

    /// Numbers that the histories of its tensors hold.
    fn cells(&self) -> usize {
        self.series.values().map(|series| series.history.cells()).sum()
    }

    /// Keeps half as many rows of each tensor.
    fn halve(&mut self) {
        self.capacity = (self.capacity / 2).max(FEWEST_ROWS);
        for series in self.series.values_mut() {
            series.history.limit(self.capacity);
        }
    }

    /// The numbers of the steps, probed or not.
    pub fn scalars(&self) -> &History {
        &self.scalars
    }

    /// One of those numbers over time.
    pub fn scalar(&self, scalar: Scalar) -> ndarray::ArrayView1<'_, f64> {
        self.scalars.column(scalar as usize)
    }

    /// Keras' running metrics over time, by name.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &History)> {
        self.metrics
            .iter()
            .map(|(name, history)| (name.as_str(), history))
    }

    /// The probed tensor of a layer; of several weights the first in the layer's own order (the kernel).
    pub fn series(&self, layer: usize, tensor: Tensor) -> Option<&Series> {
        let first = LayoutRow {
            layer,
            tensor,
            weight: None,
        };
        let of_layer = || {
            self.series
                .range(&first..)
                .take_while(|(row, _)| row.layer == layer && row.tensor == tensor)
        };
        let weights = self
            .info
            .layers
            .iter()
            .find(|info| info.index == layer)
            .map(|info| info.weights.as_slice());
        weights
            .unwrap_or_default()
            .iter()
            .find_map(|weight| of_layer().find(|(row, _)| row.weight.as_ref() == Some(&weight.name)))
            .or_else(|| of_layer().next())
            .map(|(_, series)| series)
    }

    /// All probed tensors.
    pub fn all_series(&self) -> impl Iterator<Item = (&LayoutRow, &Series)> {
        self.series.iter()
    }

    /// The first input array.
    pub fn x(&self) -> Option<&DataInfo> {
        self.info.data.x.first()
    }

    /// The first label array.
    pub fn y(&self) -> Option<&DataInfo> {
        self.info.data.y.first()
    }
}

/// Everything a run has sent so far.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The interpreter.
    pub start: Option<StartMessage>,
    /// Keras and its back end.
    pub keras: Option<KerasMessage>,
    /// The trainings, in order.
    pub fits: Vec<Fit>,
    /// What the script raised.
    pub exception: Option<ExceptionMessage>,
    /// What the user should know.
    pub notices: Vec<NoticeMessage>,
    /// How the training is observed.
    pub mechanism: Option<MechanismMessage>,
    /// What ended the script for want of cover.
    pub fallback: Option<FallbackMessage>,
    /// How the script ended by itself.
    pub exit: Option<ExitMessage>,
}

impl Trace {
    /// Takes in the next frame. Frames about trainings that were never announced are ignored.
    pub fn push(&mut self, frame: Frame) {
        match frame {
            Frame::Step(step) => {
                let Some(fit) = self.fit_mut(step.fit) else {
                    return;
                };
                fit.step(&step);
                if step.rows > 0 && fit.probed.is_multiple_of(LOOK_EVERY) {
                    self.bound_memory();
                }
            }
            Frame::Message(message) => self.message(message),
        }
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Start(start) => self.start = Some(start),
            Message::Keras(keras) => self.keras = Some(keras),
            Message::Fit(info) => self.fits.push(Fit::new(*info)),
            Message::Layout(layout) => {
                if let Some(fit) = self.fit_mut(layout.fit) {
                    fit.layouts.insert(layout.layout, Layout::new(layout));
                }
            }
            Message::Epoch(epoch) => {
                if let Some(fit) = self.fit_mut(epoch.fit) {
                    fit.epochs.push(epoch);
                }
            }
            Message::FitEnd(end) => {
                if let Some(fit) = self.fit_mut(end.fit) {
                    fit.end = Some(end.reason);
                }
            }
            Message::Evaluate(given) => {
                if let Some(fit) = self
                    .fit_mut(given.fit)
                    .filter(|fit| fit.evaluated.len() < MOST_EVALUATED)
                {
                    fit.evaluated.push(given);
                }
            }
            Message::Fault(fault) => {
                if let Some(fit) = self.fit_mut(fault.fit) {
                    fit.fault.get_or_insert(fault);
                }
            }
            Message::Gauge(gauge) => {
                if let Some(fit) = self.fit_mut(gauge.fit)
                    && fit.gauges.len() < MOST_GAUGES
                {
                    fit.gauges.push(gauge);
                }
            }
            Message::Exception(exception) => self.exception = Some(exception),
            Message::Notice(notice) => self.notices.push(notice),
            Message::Mechanism(mechanism) => self.mechanism = Some(mechanism),
            Message::Fallback(fallback) => self.fallback = Some(fallback),
            Message::Exit(exit) => self.exit = Some(exit),
            Message::TrialsReady | Message::Score(_) | Message::TrialEnd(_) | Message::Unknown => {}
        }
    }

    /// Has the histories of large networks, and of many trainings, keep fewer rows.
    fn bound_memory(&mut self) {
        while self.fits.iter().map(Fit::cells).sum::<usize>() > MOST_CELLS {
            let largest = self
                .fits
                .iter_mut()
                .filter(|fit| fit.capacity > FEWEST_ROWS)
                .max_by_key(|fit| fit.cells());
            let Some(fit) = largest else { return };
            fit.halve();
        }
    }

    fn fit_mut(&mut self, fit: usize) -> Option<&mut Fit> {
        self.fits
            .iter_mut()
            .rev()
            .find(|candidate| candidate.info.fit == fit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{LayerInfo, WeightInfo};

    #[test]
    fn numbers_are_found_by_name_whatever_their_order() {
        let weight = |name: &str| WeightInfo {
            name: name.into(),
            shape: vec![1],
            trainable: true,
        };
        let info = FitMessage {
            layers: vec![LayerInfo {
                weights: vec![weight("kernel"), weight("bias")],
                ..LayerInfo::default()
            }],
            ..serde_json::from_str(r#"{"fit": 0}"#).unwrap()
        };
        let row = |name: &str| LayoutRow {
            layer: 0,
            tensor: Tensor::W,
            weight: Some(name.into()),
        };
        let mut trace = Trace::default();
        trace.push(Frame::Message(Message::Fit(Box::new(info))));
        trace.push(Frame::Message(Message::Layout(LayoutMessage {
            fit: 0,
            layout: 0,
            scalars: vec!["metric:mae".into(), "loss".into()],
            stats: vec!["future".into(), "l2".into(), "mean".into()],
            rows: vec![row("bias"), row("kernel")],
        })));
        let step = StepFrame {
            fit: 0,
            layout: 0,
            epoch: 1,
            batch: 2,
            step: 9,
            scalars: vec![0.25, 4.0],
            rows: 2,
            stats: vec![0.0, 1.0, 2.0, 0.0, 3.0, 4.0],
        };
        trace.push(Frame::Step(StepFrame {
            fit: 7,
            ..step.clone()
        }));
        trace.push(Frame::Step(step));
        let fit = &trace.fits[0];
        assert_eq!(fit.steps, 10);
        assert_eq!(fit.scalar(Scalar::Loss)[0], 4.0);
        assert!(fit.scalar(Scalar::Hits)[0].is_nan());
        assert_eq!(fit.metrics().next().unwrap().1.column(0)[0], 0.25);
        let kernel = fit.series(0, Tensor::W).unwrap();
        assert_eq!(
            (kernel.last(Stat::L2), kernel.last(Stat::Mean)),
            (Some(3.0), Some(4.0))
        );
        assert!(kernel.last(Stat::Std).unwrap().is_nan());
        assert!(fit.series(0, Tensor::V1).is_none());
    }

    #[test]
    fn memory_is_bounded_whatever_the_network() {
        let mut trace = Trace::default();
        let rows = 900;
        trace.push(Frame::Message(Message::Fit(Box::new(
            serde_json::from_str(r#"{"fit": 0}"#).unwrap(),
        ))));
        trace.push(Frame::Message(Message::Layout(LayoutMessage {
            fit: 0,
            layout: 0,
            scalars: vec!["loss".into()],
            stats: vec!["mean".into()],
            rows: (0..rows)
                .map(|layer| LayoutRow {
                    layer,
                    tensor: Tensor::V2,
                    weight: None,
                })
                .collect(),
        })));
        for step in 0..400 {
            trace.push(Frame::Step(StepFrame {
                fit: 0,
                layout: 0,
                epoch: 0,
                batch: 0,
                step,
                scalars: vec![1.0],
                rows,
                stats: vec![step as f64; rows],
            }));
        }
        let fit = &trace.fits[0];
        assert!(fit.cells() <= MOST_CELLS, "{}", fit.cells());
        let history = fit.series(899, Tensor::V2).unwrap().history();
        assert!(history.len() >= FEWEST_ROWS / 2, "{}", history.len());
        assert_eq!(history.moments()[0].step, 0);
        let last: Vec<u64> = history
            .moments()
            .iter()
            .rev()
            .take(16)
            .map(|moment| moment.step)
            .collect();
        assert_eq!(last, (384..400).rev().collect::<Vec<u64>>());
        assert_eq!(fit.scalars().len(), 400);
    }
}
