//! The JSON messages of the channel.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A number that may be missing, or one of the strings `nan`, `inf`, `-inf`.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    })
}

/// Named numbers; values as in [`number`].
fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
    #[derive(Deserialize)]
    struct Number(#[serde(deserialize_with = "number")] f64);
    let map = BTreeMap::<String, Number>::deserialize(deserializer)?;
    Ok(map
        .into_iter()
        .map(|(name, Number(value))| (name, value))
        .collect())
}

pub(crate) const fn nan() -> f64 {
    f64::NAN
}

/// A call in the user's code.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Site {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// First line, from 1.
    pub line: u32,
    /// First column, in UTF-8 bytes from 0; not known before Python 3.11.
    #[serde(default)]
    pub column: Option<u32>,
    /// Last line, from 1.
    #[serde(default)]
    pub end_line: Option<u32>,
    /// End column, exclusive, in UTF-8 bytes.
    #[serde(default)]
    pub end_column: Option<u32>,
}

/// First frame of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartMessage {
    /// Version of the interpreter.
    pub python: String,
    /// Path of the interpreter.
    pub executable: PathBuf,
    /// Process id of the script.
    #[serde(default)]
    pub pid: u32,
}

/// Keras was imported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KerasMessage {
    /// Version of Keras.
    pub version: String,
    /// Back end (`tensorflow`, `jax`, …).
    pub backend: String,
    /// Package it came from (`keras`, `tf_keras`).
    #[serde(default)]
    pub package: String,
}

/// One weight variable of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightInfo {
    /// Name (`kernel`).
    pub name: String,
    /// Shape.
    #[serde(default)]
    pub shape: Vec<i64>,
    /// Whether the optimizer changes it.
    #[serde(default)]
    pub trainable: bool,
}

/// One leaf layer of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerInfo {
    /// Position in the forward pass, input layers not counted.
    pub index: usize,
    /// Name of the layer.
    pub name: String,
    /// Class of the layer.
    pub class: String,
    /// Where it was created.
    #[serde(default)]
    pub site: Option<Site>,
    /// Name of the activation function it applies.
    #[serde(default)]
    pub activation: Option<String>,
    /// Scalars of its configuration.
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
    /// Layers it reads from.
    #[serde(default)]
    pub inputs: Vec<usize>,
    /// Output shape, batch axis `None`.
    #[serde(default)]
    pub output_shape: Option<Vec<Option<i64>>>,
    /// Whether its weights may change.
    #[serde(default)]
    pub trainable: bool,
    /// Its weights.
    #[serde(default)]
    pub weights: Vec<WeightInfo>,
}

/// One input that a model was told to expect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputInfo {
    /// Shape, unknown sizes `None`.
    #[serde(default)]
    pub shape: Vec<Option<i64>>,
    /// The call that says so.
    #[serde(default)]
    pub site: Option<Site>,
    /// The layers that read it.
    #[serde(default)]
    pub layers: Vec<usize>,
}

/// The model that is trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Name of the model.
    #[serde(default)]
    pub name: String,
    /// Class of the model.
    #[serde(default)]
    pub class: String,
    /// Where it was created.
    #[serde(default)]
    pub site: Option<Site>,
}

/// The optimizer that trains it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizerInfo {
    /// Class of the optimizer.
    pub class: String,
    /// Where it was created; `None` when it came from a string in `compile`.
    #[serde(default)]
    pub site: Option<Site>,
    /// Learning rate at the start of the training.
    #[serde(default = "nan", deserialize_with = "number")]
    pub learning_rate: f64,
    /// Scalars of its configuration.
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
}

/// The loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossInfo {
    /// Canonical snake-case name (`binary_crossentropy`).
    pub name: String,
    /// Scalars of its configuration (`from_logits`).
    #[serde(default)]
    pub config: BTreeMap<String, Value>,
}

/// What is known of one input or label array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataInfo {
    /// Shape, samples first.
    #[serde(default)]
    pub shape: Vec<i64>,
    /// Element type.
    #[serde(default)]
    pub dtype: String,
    /// Whether the whole array was looked at, not only the first batch.
    #[serde(default)]
    pub whole: bool,
    /// Smallest finite value.
    #[serde(default = "nan", deserialize_with = "number")]
    pub min: f64,
    /// Largest finite value.
    #[serde(default = "nan", deserialize_with = "number")]
    pub max: f64,
    /// Mean of the finite values.
    #[serde(default = "nan", deserialize_with = "number")]
    pub mean: f64,
    /// Standard deviation of the finite values.
    #[serde(default = "nan", deserialize_with = "number")]
    pub std: f64,
    /// Number of NaNs.
    #[serde(default)]
    pub nans: u64,
    /// Number of infinities.
    #[serde(default)]
    pub infs: u64,
    /// Whether every value is a whole number.
    #[serde(default)]
    pub integers: bool,
    /// Features looked at one by one.
    #[serde(default)]
    pub features: u64,
    /// Features with one value only.
    #[serde(default)]
    pub constant_features: u64,
    /// Smallest standard deviation of a feature that varies.
    #[serde(default = "nan", deserialize_with = "number")]
    pub feature_std_min: f64,
    /// Largest standard deviation of a feature.
    #[serde(default = "nan", deserialize_with = "number")]
    pub feature_std_max: f64,
    /// Largest absolute mean of a feature.
    #[serde(default = "nan", deserialize_with = "number")]
    pub feature_absmean_max: f64,
    /// Median over the features that vary of |mean| / std.
    #[serde(default = "nan", deserialize_with = "number")]
    pub offset_ratio: f64,
    /// Distinct values with their counts.
    #[serde(default)]
    pub classes: Option<Vec<(f64, u64)>>,
    /// Smallest sum of a row.
    #[serde(default = "nan", deserialize_with = "number")]
    pub row_sum_min: f64,
    /// Largest sum of a row.
    #[serde(default = "nan", deserialize_with = "number")]
    pub row_sum_max: f64,
    /// Whether only 0 and 1 occur.
    #[serde(default)]
    pub zero_one: bool,
    /// For one-hot rows: class (column) and count.
    #[serde(default)]
    pub first_column_classes: Option<Vec<(f64, u64)>>,
    /// Of labels for one of several outputs, its name.
    #[serde(default)]
    pub output: Option<String>,
    /// What simple models get out of the only input for it.
    #[serde(default)]
    pub baselines: Option<Baselines>,
}

/// An operation that combines every row of a batch with every other one, on the way from the model to the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pairing {
    /// The user's expression.
    #[serde(default)]
    pub site: Option<Site>,
    /// TensorFlow's name of it (`Sub`).
    #[serde(default)]
    pub operation: String,
    /// Shapes of its two operands, unknown sizes `None`.
    #[serde(default)]
    pub shapes: Vec<Vec<Option<i64>>>,
    /// Which of them stems from the model.
    #[serde(default)]
    pub prediction: usize,
}

/// A training starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitMessage {
    /// Number of this training in the run.
    pub fit: usize,
    /// `fit` or `train_on_batch`.
    #[serde(default)]
    pub call: String,
    /// The call that starts it.
    #[serde(default)]
    pub site: Option<Site>,
    /// The `compile` call in force.
    #[serde(default)]
    pub compile_site: Option<Site>,
    /// The model.
    #[serde(default)]
    pub model: ModelInfo,
    /// Its leaf layers, in the order of the forward pass.
    #[serde(default)]
    pub layers: Vec<LayerInfo>,
    /// What it expects; empty for models that take what comes.
    #[serde(default)]
    pub inputs: Vec<InputInfo>,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: Option<OptimizerInfo>,
    /// The loss.
    #[serde(default)]
    pub loss: Option<LossInfo>,
    /// Names of the metrics.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// Epochs asked for.
    #[serde(default)]
    pub epochs: Option<u64>,
    /// Samples per batch.
    #[serde(default)]
    pub batch_size: Option<u64>,
    /// Batches per epoch.
    #[serde(default)]
    pub steps_per_epoch: Option<u64>,
    /// Samples in the training data.
    #[serde(default)]
    pub samples: Option<u64>,
    /// Whether the samples are shuffled each epoch.
    #[serde(default)]
    pub shuffle: Option<bool>,
    /// Whether there is validation data.
    #[serde(default)]
    pub validation: bool,
    /// Whether samples or classes are weighted.
    #[serde(default)]
    pub weighted: bool,
    /// Weights of the classes, by their numbers.
    #[serde(default, deserialize_with = "numbers")]
    pub class_weight: BTreeMap<String, f64>,
    /// Inputs and labels.
    #[serde(default)]
    pub data: FitData,
    /// Where the loss combines every row of a batch with every other one.
    #[serde(default)]
    pub pairings: Vec<Pairing>,
}

/// Inputs and labels of a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FitData {
    /// One per input.
    #[serde(default)]
    pub x: Vec<DataInfo>,
    /// One per output.
    #[serde(default)]
    pub y: Vec<DataInfo>,
    /// What simple models get out of them, with one input and one output.
    #[serde(default)]
    pub baselines: Option<Baselines>,
    /// How the validation data relate to them.
    #[serde(default)]
    pub held_out: Option<HeldOut>,
}

/// What simple models get out of the data. Skills are parts of the way from the best constant answer to perfection, on
/// samples the model has not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// Samples it was tried on.
    #[serde(default)]
    pub samples: u64,
    /// Skill of the nearest neighbours, on standardised features.
    #[serde(default = "nan", deserialize_with = "number")]
    pub neighbours: f64,
    /// Skill of ridge regression.
    #[serde(default = "nan", deserialize_with = "number")]
    pub linear: f64,
    /// Skill of the better of both on as many samples of the rarer of two classes as of the other, where one is rare.
    #[serde(default = "nan", deserialize_with = "number")]
    pub minority: f64,
    /// Largest correlation of a single feature with the label.
    #[serde(default = "nan", deserialize_with = "number")]
    pub copied: f64,
    /// Position of that feature.
    #[serde(default)]
    pub copied_feature: Option<u64>,
    /// Features whose correlation with the label is at least 0.9999.
    #[serde(default)]
    pub copies: u64,
    /// Changes from one label to the next over those expected of shuffled labels.
    #[serde(default = "nan", deserialize_with = "number")]
    pub label_runs: f64,
}

/// How the validation data relate to the training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Samples held out.
    #[serde(default)]
    pub samples: u64,
    /// Share of them that is in the training data too.
    #[serde(default = "nan", deserialize_with = "number")]
    pub seen_before: f64,
    /// Classes among them.
    #[serde(default)]
    pub classes: Option<u64>,
    /// Share of them whose class is not in the training data.
    #[serde(default = "nan", deserialize_with = "number")]
    pub unseen: f64,
    /// Half of the sum of the differences between the shares of the classes here and there: 0 for the same mixture, 1 for
    /// no class in common.
    #[serde(default = "nan", deserialize_with = "number")]
    pub shift: f64,
    /// Share of the features whose mean lies three standard deviations of the training data from theirs, or that spread
    /// three times more or less.
    #[serde(default = "nan", deserialize_with = "number")]
    pub apart: f64,
}

/// A trained model is evaluated: how the labels given relate to those of its training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluateMessage {
    /// Number of the training.
    pub fit: usize,
    /// The call.
    #[serde(default)]
    pub site: Option<Site>,
    /// Samples.
    #[serde(default)]
    pub samples: u64,
    /// Classes among them.
    #[serde(default)]
    pub classes: u64,
    /// Share of them whose class is not in the training data.
    #[serde(default = "nan", deserialize_with = "number")]
    pub unseen: f64,
    /// Half of the sum of the differences between the shares of the classes here and there.
    #[serde(default = "nan", deserialize_with = "number")]
    pub shift: f64,
}

/// What is probed of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tensor {
    /// Output before the activation.
    V1,
    /// Output.
    V2,
    /// Weight before the update.
    W,
    /// Gradient of the weight.
    Dw,
    /// Weight after the update minus before.
    Update,
    /// Gradient of the loss at the layer's output.
    Gout,
}

/// One row of a layout.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LayoutRow {
    /// Index of the layer.
    pub layer: usize,
    /// What is probed.
    pub tensor: Tensor,
    /// Name of the weight, for `w`, `dw` and `update`.
    #[serde(default)]
    pub weight: Option<String>,
}

/// Names the numbers of the step frames that follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayoutMessage {
    /// Number of the training.
    pub fit: usize,
    /// Number of the layout within the training.
    pub layout: u32,
    /// Names of the scalars.
    pub scalars: Vec<String>,
    /// Names of the statistics.
    pub stats: Vec<String>,
    /// The tensors.
    pub rows: Vec<LayoutRow>,
}

/// An epoch ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMessage {
    /// Number of the training.
    pub fit: usize,
    /// Epoch, from 0.
    pub epoch: u32,
    /// Keras' logs.
    #[serde(default, deserialize_with = "numbers")]
    pub logs: BTreeMap<String, f64>,
}

/// A training ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitEndMessage {
    /// Number of the training.
    pub fit: usize,
    /// `finished` or `exception`.
    pub reason: String,
}

/// One frame of a traceback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackFrame {
    /// The call.
    pub site: Site,
    /// Name of the function.
    #[serde(default)]
    pub function: String,
    /// Whether it is the user's own code.
    #[serde(default)]
    pub user: bool,
}

/// The layer that was being built or called when an exception was raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaisedLayer {
    /// Index in the model, where known.
    #[serde(default)]
    pub index: Option<usize>,
    /// Name of the layer.
    pub name: String,
    /// Class of the layer.
    pub class: String,
    /// Where it was created.
    #[serde(default)]
    pub site: Option<Site>,
}

/// The script raised an exception that nobody caught.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExceptionMessage {
    /// Class of the exception.
    pub class: String,
    /// Its text.
    #[serde(default)]
    pub message: String,
    /// Number of the training it was raised in.
    #[serde(default)]
    pub fit: Option<usize>,
    /// Traceback, innermost frame last.
    #[serde(default)]
    pub frames: Vec<StackFrame>,
    /// The innermost layer being built or called.
    #[serde(default)]
    pub layer: Option<RaisedLayer>,
}

/// Something the user should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoticeMessage {
    /// Stable name of what happened.
    pub name: String,
    /// The same in words.
    #[serde(default)]
    pub text: String,
    /// Where.
    #[serde(default)]
    pub site: Option<Site>,
}

/// How the training is going to be observed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MechanismMessage {
    /// `callback` or `imperative`.
    pub name: String,
    /// What the other one, which was to be tried first, does not cover.
    #[serde(default)]
    pub instead: Option<String>,
    /// Where in the script that is.
    #[serde(default)]
    pub site: Option<Site>,
}

/// The script came to something that the imperative mechanism does not cover, and was ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FallbackMessage {
    /// What is not covered.
    pub what: String,
    /// Whether the script had raised an error, which may or may not be its own.
    #[serde(default)]
    pub raised: bool,
    /// Where in the script that is.
    #[serde(default)]
    pub site: Option<Site>,
}

/// The script ended by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExitMessage {
    /// Exit status.
    pub code: i32,
    /// Trainings started.
    #[serde(default)]
    pub fits: usize,
}

/// One JSON message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// First frame.
    Start(StartMessage),
    /// Keras was imported.
    Keras(KerasMessage),
    /// A training starts.
    Fit(Box<FitMessage>),
    /// Names the numbers of the step frames.
    Layout(LayoutMessage),
    /// An epoch ended.
    Epoch(EpochMessage),
    /// A training ended.
    FitEnd(FitEndMessage),
    /// A trained model is evaluated.
    Evaluate(EvaluateMessage),
    /// The script raised.
    Exception(ExceptionMessage),
    /// Something the user should know.
    Notice(NoticeMessage),
    /// How the training is going to be observed.
    Mechanism(MechanismMessage),
    /// Something is not covered; the script was ended.
    Fallback(FallbackMessage),
    /// The first number that became NaN or infinite, where an engine has seen it.
    Fault(crate::FaultMessage),
    /// How far a step went along its own direction, where an engine has measured it.
    Gauge(crate::GaugeMessage),
    /// The script ended by itself.
    Exit(ExitMessage),
    /// The process that serves trials has imported what it needs.
    TrialsReady,
    /// What predictions are worth, in a trial.
    Score(crate::ScoreMessage),
    /// A trial is over.
    TrialEnd(crate::TrialEndMessage),
    /// A message of a later version.
    #[serde(other)]
    Unknown,
}
