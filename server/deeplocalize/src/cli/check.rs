//! `deeplocalize check`.

use std::io;
use std::path::PathBuf;

use super::common::{Outcome, OutputArguments};
use crate::check::{Stdin, check_paths};

const AFTER_HELP: &str = "\
Examples:
  deeplocalize check                         every Python file below this folder
  deeplocalize check train.py models/        a file and a folder
  cat train.py | deeplocalize check - --stdin-filename train.py
  deeplocalize check --output-format json | jq .verdict

A file that is named is always checked. In folders, what Git ignores, hidden files, virtual environments \
and files that never mention Keras are passed over. Nothing is run.

Exit status: 0 nothing found at or above --fail-on; 1 something found, even if another file could not be \
read or parsed; 2 nothing found, but a path could not be checked, or not all of it.";

/// Look for faults in the code alone, without running it
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Check {
    /// Files and folders; `-` for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// The name to report standard input by
    #[arg(long, value_name = "PATH")]
    stdin_filename: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

impl Check {
    pub fn execute(self) -> io::Result<Outcome> {
        let stdin = Stdin {
            reader: io::stdin(),
            name: self.stdin_filename.unwrap_or_else(|| "-".into()),
        };
        self.output.print(&check_paths(&self.paths, stdin))
    }
}
