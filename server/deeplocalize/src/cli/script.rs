//! The script to run, and how far it may go.

use std::path::PathBuf;

use clap::Args;
use session::Limits;

use super::progress::View;
use crate::run::RunOptions;

/// What `run` and `fix` share.
#[derive(Debug, Args)]
pub struct ScriptArguments {
    /// The script, then its own arguments, which are handed on as they are
    #[arg(
        value_name = "SCRIPT",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = false
    )]
    command: Vec<String>,
    /// The interpreter to run it with
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Run it in an environment of the tool's own, with Keras and NumPy, made once in the user's cache folder
    #[arg(long, conflicts_with = "python")]
    managed: bool,
    /// Stop after that many batches, over all trainings
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    max_batches: u64,
    /// Stop after that many seconds of training
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    max_seconds: f64,
    /// Give up when no training has started after that many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120.0, value_parser = seconds)]
    startup_seconds: f64,
    /// End the script when it takes more memory than that [default: four fifths of the memory there is]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    max_memory: Option<u64>,
    /// End the script when it writes more than that to its files
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    max_written: u64,
    /// Do not show how far the run has got
    #[arg(long)]
    no_progress: bool,
}

impl ScriptArguments {
    pub fn options(&self) -> RunOptions {
        let mut command = self.command.iter().cloned();
        RunOptions {
            script: command.next().unwrap_or_default().into(),
            arguments: command.collect(),
            python: self.python.clone(),
            managed: self.managed,
            max_batches: self.max_batches,
            max_seconds: self.max_seconds,
            startup_seconds: self.startup_seconds,
            limits: Limits {
                memory: self
                    .max_memory
                    .map(|mebibytes| mebibytes << 20)
                    .or(Limits::default().memory),
                written: self.max_written << 20,
            },
            ..RunOptions::default()
        }
    }

    /// Shows how far the run has got.
    pub fn view(&self, quiet: bool) -> View {
        View::new(!self.no_progress && !quiet, self.max_batches)
    }
}

pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("a number of seconds above 0 is needed".into()),
    }
}
