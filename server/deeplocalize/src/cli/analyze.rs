//! `deeplocalize analyze`.

use std::io;
use std::path::PathBuf;

use clap::Args;

use super::common::{Outcome, OutputArguments};
use super::run::{DetectorName, PaperArguments};
use super::settings::SettingsArguments;
use crate::config;
use crate::report::Report;
use crate::run::{AnalyzeOptions, analyze};

const AFTER_HELP: &str = "\
Examples:
  deeplocalize analyze trace-*.npz --script train.py     a training of several workers
  deeplocalize run --trace t.npz train.py; deeplocalize analyze t.npz

A trace file is written by `deeplocalize run --trace`, or where the tool does not run by the callback \
deeplocalize.Tracer of the Python package.";

/// Find the line to blame in the trace files of a training that ran elsewhere
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Analyze {
    /// The trace files, one of each worker of the same training
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// The script, when it is not here where it was run
    #[arg(long, value_name = "SCRIPT")]
    script: Option<PathBuf>,
    /// The analysis: our own, or the algorithm of the DeepLocalize paper as it was published
    #[arg(long, value_name = "DETECTOR", default_value = "default")]
    detector: DetectorName,
    #[command(flatten)]
    paper: PaperArguments,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl Analyze {
    pub fn execute(self) -> io::Result<Outcome> {
        let configuration = match self.settings.configuration() {
            Ok(configuration) => configuration,
            Err(error) => {
                let first = self.traces.first().cloned().unwrap_or_default();
                return self.output.print(&Report::failed(&first, error));
            }
        };
        let mut report = analyze(&AnalyzeOptions {
            traces: self.traces.clone(),
            script: self.script.clone(),
            detector: self.paper.detector(self.detector),
        });
        config::filter(&mut report, &configuration);
        self.output.print(&report)
    }
}
