//! Runs a user's training script with the tracer loaded before it, and delivers what the tracer sends.
//!
//! Three processes are involved. The *tool* calls [`Session::start`]. That starts the tool's own executable again as
//! the *supervisor* (the hidden subcommand [`SUPERVISE`], which calls [`supervise`]), and the supervisor starts the
//! *script* under Python. The supervisor outlives the tool for as long as it takes to end everything the script has
//! started, so that nothing is left behind even when the tool is killed.

#[cfg(unix)]
mod aside;
mod error;
mod interpreter;
mod limits;
mod log;
mod managed;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
mod session;
#[cfg(unix)]
mod supervisor;
mod tracer;
#[cfg(unix)]
mod trials;
#[cfg(not(unix))]
mod unsupported;
mod written;

pub use error::SessionError;
pub use interpreter::{Interpreter, Source, find_interpreter};
pub use limits::{Excess, Limits};
pub use managed::managed_interpreter;
#[cfg(unix)]
pub use session::Session;
#[cfg(unix)]
pub use supervisor::supervise;
#[cfg(unix)]
pub use trials::{Trial, TrialEvent, Trials};
#[cfg(not(unix))]
pub use unsupported::{Session, supervise};
pub use written::{Writes, Written, WrittenFile};

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Name of the hidden subcommand whose remaining arguments go to [`supervise`].
pub const SUPERVISE: &str = "__supervise";

/// Which steps are probed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Cadence {
    /// Every step is probed up to this one.
    pub dense_steps: u64,
    /// From then on, every so many steps one.
    pub every: u64,
}

impl Default for Cadence {
    fn default() -> Self {
        Cadence {
            dense_steps: 50,
            every: 10,
        }
    }
}

/// Name of the hidden subcommand that is the engine of the imperative mechanism.
pub const ENGINE: &str = "__engine";

/// How the training is observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mechanism {
    /// On the engine where the script allows it, else in Keras.
    #[default]
    Auto,
    /// In Keras, on its own back end.
    Callback,
    /// On the engine.
    Imperative,
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Request {
    /// The script.
    pub script: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The interpreter, as [`find_interpreter`] found it.
    pub python: PathBuf,
    /// Working directory of the script; the current one when `None`.
    pub directory: Option<PathBuf>,
    /// File that receives what the script prints; none when `None`.
    pub log: Option<PathBuf>,
    /// Which steps are probed.
    pub cadence: Cadence,
    /// Texts to run in place of what is on disk: of the script, and of modules it imports. The files stay as they are.
    pub overrides: BTreeMap<PathBuf, String>,
    /// How the training is observed.
    pub mechanism: Mechanism,
    /// Environment variables for the script, beside those of this process.
    pub environment: Vec<(OsString, OsString)>,
    /// What becomes of files the script writes.
    pub writes: Writes,
    /// How much the script may take.
    pub limits: Limits,
    /// Executable whose [`SUPERVISE`] subcommand calls [`supervise`], and whose [`ENGINE`] subcommand is the engine;
    /// usually the running one.
    pub supervisor: PathBuf,
}

/// How the script's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ended with this exit status.
    Code(i32),
    /// It was killed by this signal.
    Signal(i32),
    /// It was ended because it took too much.
    Excess(Excess),
    /// It was ended together with everything it had started, at the tool's request.
    Stopped,
}

/// What happens in a session.
#[derive(Debug)]
pub enum Event {
    /// The tracer sent a frame.
    Frame(trace::Frame),
    /// The channel sent something that is no frame; no further frames follow.
    TraceError(trace::FrameError),
    /// The script and everything it had started are gone. The last event.
    Exited {
        /// How the script ended.
        status: Status,
    },
}
