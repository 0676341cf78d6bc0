//! The command line.

use std::process::ExitCode;

/// Entry point of the program.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
