//! Traces on disk: `.npz` archives that `numpy.load` opens, as `docs/trace-file.md` describes them.

mod array;
mod read;
mod write;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    EpochMessage, EvaluateMessage, ExceptionMessage, ExitMessage, FaultMessage, FitMessage, GaugeMessage,
    KerasMessage, NoticeMessage, StartMessage, Tensor,
};

/// What `format` says in the metadata.
const FORMAT: &str = "deeplocalize-trace";
/// Version of the layout of the file.
const VERSION: u32 = 1;
/// Name of the array with the metadata.
const METADATA: &str = "metadata";

/// Why a trace file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct TraceFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a trace file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is no archive.
    #[error("it is no .npz file: {0}")]
    Archive(zip::result::ZipError),
    /// An array could not be read.
    #[error("the array {name} cannot be read: {reason}")]
    Array {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The metadata do not parse.
    #[error("its metadata do not parse: {0}")]
    Metadata(#[from] serde_json::Error),
    /// It is an archive of something else, or of a later version.
    #[error("it is no trace of version {VERSION} (format {format:?}, version {version})")]
    Format {
        /// What it says it is.
        format: String,
        /// Its version.
        version: u32,
    },
}

impl From<zip::result::ZipError> for Problem {
    /// A disk that is full says nothing about the archive.
    fn from(error: zip::result::ZipError) -> Problem {
        match error {
            zip::result::ZipError::Io(error) => Problem::Io(error),
            error => Problem::Archive(error),
        }
    }
}

impl Problem {
    fn array(name: &str, reason: impl ToString) -> Problem {
        Problem::Array {
            name: name.to_owned(),
            reason: reason.to_string(),
        }
    }

    fn at(self, path: &Path) -> TraceFileError {
        TraceFileError {
            path: path.to_owned(),
            problem: self,
        }
    }
}

/// Everything that is not an array.
#[derive(Debug, Serialize, Deserialize)]
struct Metadata {
    format: String,
    version: u32,
    #[serde(default)]
    start: Option<StartMessage>,
    #[serde(default)]
    keras: Option<KerasMessage>,
    #[serde(default)]
    exception: Option<ExceptionMessage>,
    #[serde(default)]
    notices: Vec<NoticeMessage>,
    #[serde(default)]
    exit: Option<ExitMessage>,
    fits: Vec<FitMetadata>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FitMetadata {
    info: FitMessage,
    #[serde(default)]
    epochs: Vec<EpochMessage>,
    #[serde(default)]
    end: Option<String>,
    #[serde(default)]
    fault: Option<FaultMessage>,
    #[serde(default)]
    evaluated: Vec<EvaluateMessage>,
    #[serde(default)]
    gauges: Vec<GaugeMessage>,
    /// Names of the columns of the statistics.
    stats: Vec<String>,
    /// Arrays of numbers of whole steps.
    steps: Vec<StepsMetadata>,
    /// Arrays of statistics of one tensor each.
    series: Vec<SeriesMetadata>,
}

/// Array `[step, column]`; its moments (step, epoch, batch) are in the array `NAME.moments`.
#[derive(Debug, Serialize, Deserialize)]
struct StepsMetadata {
    array: String,
    columns: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SeriesMetadata {
    array: String,
    layer: usize,
    tensor: Tensor,
    #[serde(default)]
    weight: Option<String>,
}

fn moments_of(array: &str) -> String {
    format!("{array}.moments")
}

#[cfg(test)]
mod tests;
