//! The frames an instrumented run sends, and the [`Trace`] they build.
//!
//! The wire format is documented in `docs/trace-protocol.md`.

mod file;
mod frame;
mod history;
mod inside;
mod message;
mod model;
mod score;
mod trace;

pub use file::{Problem, TraceFileError};
pub use frame::{Frame, FrameError, FrameReader, StepFrame, encode};
pub use history::{History, Moment};
pub use inside::{FaultMessage, GaugeMessage};
pub use message::{
    Baselines, DataInfo, EpochMessage, EvaluateMessage, ExceptionMessage, ExitMessage, FallbackMessage,
    FitData, FitEndMessage, FitMessage, HeldOut, InputInfo, KerasMessage, LayerInfo, LayoutMessage,
    LayoutRow, LossInfo, MechanismMessage, Message, ModelInfo, NoticeMessage, OptimizerInfo, Pairing,
    RaisedLayer, Site, StackFrame, StartMessage, Tensor, WeightInfo,
};
pub use score::{ScoreMessage, TrialEndMessage};
pub use trace::{Fit, Scalar, Series, Stat, Trace};
