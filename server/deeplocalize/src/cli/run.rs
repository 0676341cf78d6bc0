//! `deeplocalize run`.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory, ValueEnum};
use localize::Detector;
use session::Mechanism;

use super::common::{Outcome, OutputArguments, reader_gone};
use super::interrupt::Interrupt;
use super::script::{ScriptArguments, seconds};
use super::settings::SettingsArguments;
use crate::config;
use crate::report::Report;
use crate::run::{Cancel, RunOptions, TryFixes, localize};

const AFTER_HELP: &str = "\
Examples:
  deeplocalize run train.py                   at most a minute of training
  deeplocalize run train.py --epochs 3        options after the script are its own
  deeplocalize run --python .venv/bin/python train.py
  deeplocalize run --show-output train.py     also what the script printed

The script runs unmodified in your own interpreter; its training is watched, and stopped as soon as the \
verdict is clear.

The interpreter is --python, else the active environment (VIRTUAL_ENV, CONDA_PREFIX), else .venv or venv \
beside or above the script, else python3.

Ctrl-C ends the run and reports what is known; a second one ends it at once.";

/// Run a training script, watch it train, and find the line to blame
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, override_usage = "deeplocalize run [OPTIONS] SCRIPT [ARGS]...")]
pub struct Run {
    #[command(flatten)]
    script: ScriptArguments,
    /// Let the script run to its end, however clear the verdict
    #[arg(long)]
    keep_going: bool,
    /// How the training is watched: on the native engine, in Keras itself, or on the engine where the script allows it
    #[arg(long, value_name = "MECHANISM", default_value = "auto")]
    mechanism: MechanismName,
    /// The analysis: our own, or the algorithm of the DeepLocalize paper as it was published
    #[arg(long, value_name = "DETECTOR", default_value = "default")]
    detector: DetectorName,
    #[command(flatten)]
    paper: PaperArguments,
    /// Try changes that may mend the script, each in a short training, and show what they do
    #[arg(long, value_name = "WHEN", default_value = "auto", default_missing_value = "always", num_args = 0..=1, require_equals = true)]
    try_fixes: TryWhen,
    /// Seconds that trying changes may take, beside importing Keras once more
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds)]
    try_seconds: f64,
    /// Print what the script printed to standard error, after the run
    #[arg(long)]
    show_output: bool,
    /// Keep what the script prints in this file [default: a file in the user's cache folder, of the last runs only]
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Write what was seen of the training to this .npz file, for `deeplocalize analyze` or NumPy
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Let a script that comes to its end write its files, which are kept apart from yours otherwise
    #[arg(long)]
    write_files: bool,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    settings: SettingsArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DetectorName {
    Default,
    Deeplocalize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MechanismName {
    /// On the engine where the script allows it, else in Keras
    Auto,
    /// On the engine, without TensorFlow: a small script takes about a second
    Imperative,
    /// In Keras on its own back end
    Callback,
}

impl From<MechanismName> for Mechanism {
    fn from(name: MechanismName) -> Mechanism {
        match name {
            MechanismName::Auto => Mechanism::Auto,
            MechanismName::Imperative => Mechanism::Imperative,
            MechanismName::Callback => Mechanism::Callback,
        }
    }
}

/// The numbers of the paper's algorithm.
#[derive(Clone, Copy, Debug, Args)]
pub struct PaperArguments {
    /// For the deeplocalize detector: number of equal means that make an anomaly [default: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    deeplocalize_n: Option<u32>,
    /// For the deeplocalize detector: share of batches with a zero mean that makes an anomaly [default: 0.25]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    deeplocalize_threshold: Option<f64>,
}

impl PaperArguments {
    /// The analysis of this name, with the numbers of the paper where none are given.
    pub fn detector(&self, name: DetectorName) -> Detector {
        let asked = self.deeplocalize_n.is_some() || self.deeplocalize_threshold.is_some();
        match name {
            DetectorName::Default if asked => super::Arguments::command()
                .error(
                    clap::error::ErrorKind::ArgumentConflict,
                    "--deeplocalize-n and --deeplocalize-threshold need --detector deeplocalize",
                )
                .exit(),
            DetectorName::Default => Detector::Default,
            DetectorName::Deeplocalize => Detector::DeepLocalize {
                n: self.deeplocalize_n.map_or(50, |n| n as usize),
                threshold: self.deeplocalize_threshold.unwrap_or(0.25),
            },
        }
    }
}

/// When changes are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TryWhen {
    /// When the run finds a fault, and on the engine also when it cannot tell; not where the script starts too slowly
    Auto,
    /// When the run finds a fault or cannot tell, however long the script takes to start
    Always,
    /// Not at all
    Never,
}

impl Run {
    pub fn execute(self) -> io::Result<Outcome> {
        let configuration = match self.settings.configuration() {
            Ok(configuration) => configuration,
            Err(error) => {
                let script = self.options().script;
                return self.output.print(&Report::failed(&script, error));
            }
        };
        let cancel = Cancel::default();
        let interrupt = Interrupt::watch(cancel.clone())?;
        let mut view = self.script.view(self.output.quiet);
        let mut report = localize(&self.options(), &cancel, &mut |progress| view.update(&progress));
        config::filter(&mut report, &configuration);
        view.finish();
        if self.show_output {
            show_log(&report)?;
        }
        let status = self.output.print(&report)?;
        Ok(interrupt.status().unwrap_or(status))
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            keep_going: self.keep_going,
            detector: self.paper.detector(self.detector),
            mechanism: self.mechanism.into(),
            log: self.log.clone(),
            try_fixes: match self.try_fixes {
                TryWhen::Auto => TryFixes::Auto,
                TryWhen::Always => TryFixes::Always,
                TryWhen::Never => TryFixes::Never,
            },
            try_seconds: self.try_seconds,
            write_files: self.write_files,
            trace: self.trace.clone(),
            ..self.script.options()
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("a number above 0 and at most 1 is needed".into()),
    }
}

/// Copies the script's output to standard error, since standard output is for the findings.
fn show_log(report: &Report) -> io::Result<()> {
    let Some(log) = report.run.as_ref().and_then(|run| run.log.as_ref()) else {
        return Ok(());
    };
    let mut err = io::stderr().lock();
    let copied = File::open(log).and_then(|mut file| io::copy(&mut file, &mut err));
    match copied {
        Ok(_) => Ok(()),
        Err(error) => writeln!(err, "error: cannot show {}: {error}", log.display()).or_else(reader_gone),
    }
}
