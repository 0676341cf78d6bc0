//! What the commands share: options, streams, exit status, logs.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use finding::Severity;
use tracing_subscriber::EnvFilter;

use crate::output::{FORMATS, Format, Look, write_error};
use crate::report::{Report, ToolError};

/// Exit status.
pub type Outcome = u8;

/// The tool could not do its work.
pub const FAILED: Outcome = 2;

/// Options about what comes out.
#[derive(Clone, Debug, clap::Args)]
pub struct OutputArguments {
    /// Print findings with their source for people, or as one JSON document for programs
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats())]
    pub output_format: Format,
    /// Least severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", default_value = "error", value_parser = severities())]
    pub fail_on: Severity,
    /// Print findings and errors only
    #[arg(short, long)]
    pub quiet: bool,
}

impl OutputArguments {
    /// Prints the report; the exit status by the contract.
    pub fn print(&self, report: &Report) -> io::Result<Outcome> {
        self.print_to(report, &mut io::BufWriter::new(anstream::stdout()))
    }

    /// Prints the report to a stream other than standard output.
    pub fn print_to(&self, report: &Report, out: &mut dyn Write) -> io::Result<Outcome> {
        let look = Look {
            width: width(),
            quiet: self.quiet,
        };
        let status = report.exit_status(self.fail_on);
        let written = (self.output_format.write)(report, &look, out, &mut anstream::stderr());
        written.and_then(|()| out.flush()).or_else(reader_gone)?;
        Ok(status)
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(FORMATS.iter().map(|format| format.name)).try_map(|name| {
        let named = |format: &&Format| format.name == name;
        FORMATS.iter().find(named).copied().ok_or("no such format")
    })
}

fn severities() -> impl TypedValueParser<Value = Severity> {
    let all = [
        Severity::Hint,
        Severity::Information,
        Severity::Warning,
        Severity::Error,
    ];
    PossibleValuesParser::new(all.map(Severity::as_str)).try_map(move |name| {
        let named = |severity: &Severity| severity.as_str() == name;
        all.into_iter().find(named).ok_or("no such severity")
    })
}

/// Columns to write for: of the terminal, else what the environment says, else 100.
pub fn width() -> usize {
    let asked = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal_size::terminal_size()
        .map(|(width, _)| usize::from(width.0))
        .or_else(asked)
        .unwrap_or(100)
}

/// A reader that has seen enough (`| head`) is no error.
pub fn reader_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::BrokenPipe {
        Ok(())
    } else {
        Err(error)
    }
}

/// Says what kept a command from its work.
pub fn failed(error: &ToolError) -> io::Result<Outcome> {
    write_error(error, &mut anstream::stderr())?;
    Ok(FAILED)
}

/// Ends the program.
pub fn exit_code(outcome: io::Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // Where this cannot be written either, the status has to do.
            let _ = writeln!(io::stderr(), "error: cannot write the output: {error}");
            ExitCode::from(FAILED)
        }
    }
}

/// Sends the log to standard error; `RUST_LOG` overrules `-v`.
pub fn log(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    // A log that was set up before stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .without_time()
        .try_init();
}
