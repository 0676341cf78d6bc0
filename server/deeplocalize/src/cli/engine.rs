//! The hidden command that the tracer starts: the engine of the imperative mechanism.

use std::process::ExitCode;

/// For `deeplocalize run` only
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Engine {}

impl Engine {
    pub fn execute(self) -> ExitCode {
        handover::serve()
    }
}
