use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Fix, Kind, Range};

/// How certain and how harmful a finding is. Ordered: `Hint < Information < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; off by default in most editors.
    Hint,
    /// Something a reviewer would mention.
    Information,
    /// The program usually does not work as written.
    Warning,
    /// The program cannot work as written.
    Error,
}

impl Severity {
    /// The name used in the JSON contract and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Hint => "hint",
            Severity::Information => "information",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What a finding was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The text alone.
    Static,
    /// A training run probed inside the user's own Keras.
    Callback,
    /// A training run on the native engine.
    Imperative,
    /// An exception the script raised.
    Crash,
}

/// Part of a training step in which something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before training: features and labels.
    Data,
    /// Outputs of the layers.
    Forward,
    /// The loss.
    Loss,
    /// A metric.
    Metric,
    /// Gradients.
    Backward,
    /// Weights after the optimizer's step.
    Update,
}

/// The layer a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerRef {
    /// Position in the model, from 0. Input layers are not counted, as in `Model.layers` of a Sequential model.
    pub index: usize,
    /// The layer's name (`dense_2`).
    pub name: String,
    /// The layer's class (`Dense`).
    #[serde(rename = "type")]
    pub type_name: String,
}

/// Something that was seen, with its place in source and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// One sentence with the numbers seen.
    pub text: String,
    /// File the evidence points into.
    pub path: PathBuf,
    /// Place in that file, where there is one.
    pub range: Option<Range>,
    /// Epoch, from 0.
    pub epoch: Option<u32>,
    /// Batch within the epoch, from 0.
    pub batch: Option<u32>,
    /// Part of the training step.
    pub phase: Option<Phase>,
}

/// One fault (or suspicion of one), on one place in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Stable code (`DL101`); one page of documentation each.
    pub code: &'static str,
    /// Readable name of the code (`softmax-on-one-unit`).
    pub name: &'static str,
    /// Kind of fault.
    pub kind: Kind,
    /// How certain and how harmful.
    pub severity: Severity,
    /// What it was read from.
    pub source: Source,
    /// File the range belongs to.
    pub path: PathBuf,
    /// What to underline.
    pub range: Range,
    /// The layer at fault, where the fault is in one.
    pub layer: Option<LayerRef>,
    /// What is wrong, why it matters here, what to do.
    pub message: String,
    /// What was seen; empty for findings read from the text alone.
    pub evidence: Vec<Evidence>,
    /// Between 0 and 1: of findings at 0.9, nine in ten are right.
    pub confidence: f64,
    /// Patches, best first.
    pub fixes: Vec<Fix>,
}

/// What a command says over all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At least one finding that is a warning or worse.
    Faulty,
    /// Nothing found, and enough seen to say so.
    Healthy,
    /// Nothing found, but not enough seen to call the program healthy.
    Inconclusive,
    /// The script raised an exception.
    Crashed,
}

impl Verdict {
    /// The name used in the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Faulty => "faulty",
            Verdict::Healthy => "healthy",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Crashed => "crashed",
        }
    }
}
