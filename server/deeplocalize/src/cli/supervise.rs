//! The hidden command that `run` starts: the process between the tool and the script.

use std::ffi::OsString;
use std::process::ExitCode;

/// For `deeplocalize run` only
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Supervise {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Supervise {
    pub fn execute(self) -> ExitCode {
        session::supervise(self.arguments)
    }
}
