//! `deeplocalize check`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{ArgGroup, CommandFactory};
use finding::Applicability;

use super::common::{FAILED, Outcome, OutputArguments, reader_gone};
use super::diff;
use super::settings::SettingsArguments;
use super::watch::Changes;
use crate::check::{Checks, FixOptions, Stdin, check_paths};
use crate::output::style::{DIM, paint};
use crate::output::{count, write_error};
use crate::report::{Report, ToolError};

/// Clears the screen and what was scrolled out of it, and goes to its top.
const CLEAR: &str = "\x1b[2J\x1b[3J\x1b[H";

const AFTER_HELP: &str = "\
Examples:
  deeplocalize check                         every Python file and notebook below this folder
  deeplocalize check train.py models/        a file and a folder
  deeplocalize check --fix                   apply the fixes that are safe
  deeplocalize check --diff                  show what --fix would change
  deeplocalize check --select DL0 --watch    one family of rules, again at every change
  cat train.py | deeplocalize check - --stdin-filename train.py
  deeplocalize check --output-format json | jq .verdict

A file that is named is always checked. In folders, what Git ignores, hidden files, virtual environments \
and files that never mention Keras are passed over. Nothing is run.

Exit status: 0 nothing found at or above --fail-on; 1 something found, even if another file could not be \
read or parsed; 2 nothing found, but a path could not be checked, or not all of it. With --diff 1 means \
that there is something to fix.";

/// Look for faults in the code alone, without running it
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP, group = ArgGroup::new("fixing").multiple(true).args(["fix", "diff"]))]
pub struct Check {
    /// Files and folders; `-` for standard input
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// The name to report standard input by
    #[arg(long, value_name = "PATH")]
    stdin_filename: Option<PathBuf>,
    /// Apply fixes that are safe, and report what is left
    #[arg(long)]
    fix: bool,
    /// Apply also fixes that may change what the program does; they need a look
    #[arg(long, requires = "fixing")]
    unsafe_fixes: bool,
    /// Show what fixes would change, and change nothing
    #[arg(long)]
    diff: bool,
    /// Check again whenever a file changes, until Ctrl-C
    #[arg(short, long, conflicts_with = "diff")]
    watch: bool,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl Check {
    pub fn execute(self) -> io::Result<Outcome> {
        if !self.watch {
            return self.once();
        }
        if self.reads_stdin() {
            let error = "--watch needs files: standard input does not change";
            super::Arguments::command()
                .error(clap::error::ErrorKind::ArgumentConflict, error)
                .exit();
        }
        let changes = match Changes::of(&self.paths) {
            Ok(changes) => changes,
            Err(error) => return self.output.print(&failed(error)),
        };
        loop {
            if io::stdout().is_terminal() {
                write!(io::stdout(), "{CLEAR}")?;
            }
            self.once()?;
            if !self.output.quiet {
                writeln!(
                    anstream::stderr(),
                    "{}",
                    paint(DIM, "watching for changes; Ctrl-C ends")
                )?;
            }
            changes.wait();
        }
    }

    fn reads_stdin(&self) -> bool {
        self.paths.iter().any(|path| path.as_os_str() == "-")
    }

    fn once(&self) -> io::Result<Outcome> {
        let configuration = match self.settings.configuration() {
            Ok(configuration) => configuration,
            Err(error) => return self.output.print(&failed(error)),
        };
        let stdin = Stdin {
            reader: io::stdin(),
            name: self.stdin_filename.clone().unwrap_or_else(|| "-".into()),
        };
        let fix = (self.fix || self.diff).then_some(FixOptions {
            least: if self.unsafe_fixes {
                Applicability::Unsafe
            } else {
                Applicability::Safe
            },
            write: !self.diff,
        });
        let checks = check_paths(&self.paths, stdin, &configuration, fix);
        if self.diff {
            return self.show_diff(&checks);
        }
        let status = if let Some(text) = checks.stdin.as_ref().filter(|_| self.fix) {
            // The text is the result, so everything said about it goes elsewhere.
            io::stdout().write_all(text.as_bytes()).or_else(reader_gone)?;
            self.output.print_to(&checks.report, &mut anstream::stderr())?
        } else {
            self.output.print(&checks.report)?
        };
        self.tell(&checks, "fixed")?;
        Ok(status)
    }

    fn show_diff(&self, checks: &Checks) -> io::Result<Outcome> {
        let mut out = io::BufWriter::new(anstream::stdout());
        let written = checks
            .fixed
            .iter()
            .try_for_each(|file| diff::write(file, &mut out))
            .and_then(|()| out.flush());
        written.or_else(reader_gone)?;
        for error in &checks.report.errors {
            write_error(error, &mut anstream::stderr())?;
        }
        self.tell(checks, "would fix")?;
        Ok(match (checks.fixed.is_empty(), checks.report.errors.is_empty()) {
            (false, _) => 1,
            (true, true) => 0,
            (true, false) => FAILED,
        })
    }

    /// Says how much was fixed, apart from the findings that are left.
    fn tell(&self, checks: &Checks, what: &str) -> io::Result<()> {
        if checks.fixed.is_empty() || self.output.quiet {
            return Ok(());
        }
        let findings = checks.fixed.iter().map(|file| file.applied.len()).sum();
        let line = format!(
            "{what} {} in {}",
            count(findings, "finding"),
            count(checks.fixed.len(), "file")
        );
        writeln!(anstream::stderr(), "{line}")
    }
}

/// The report of a command that did not get as far as any file.
fn failed(error: ToolError) -> Report {
    Report {
        files: Vec::new(),
        ..Report::failed(Path::new(""), error)
    }
}
