//! `deeplocalize report`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::common::{self, FAILED, Outcome, failed};
use super::run::{DetectorName, PaperArguments};
use super::settings::SettingsArguments;
use crate::config;
use crate::output::html;
use crate::report::{Report, ToolError};
use crate::run::{AnalyzeOptions, analyze, latest_trace};

const AFTER_HELP: &str = "\
Examples:
  deeplocalize run --trace run.npz train.py; deeplocalize report run.npz
  deeplocalize report run.npz --output report.html
  deeplocalize report                                    the latest run in an editor";

/// Show a training as a page in the browser: findings, curves of loss and metrics, every layer over the steps
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ReportCommand {
    /// The trace files, one of each worker of the same training; by default that of the latest run in an editor
    #[arg(value_name = "TRACE")]
    traces: Vec<PathBuf>,
    /// The script, when it is not here where it was run
    #[arg(long, value_name = "SCRIPT")]
    script: Option<PathBuf>,
    /// Write the page to this file, `-` for standard output, and open nothing
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The analysis: our own, or the algorithm of the DeepLocalize paper as it was published
    #[arg(long, value_name = "DETECTOR", default_value = "default")]
    detector: DetectorName,
    #[command(flatten)]
    paper: PaperArguments,
    #[command(flatten)]
    settings: SettingsArguments,
}

impl ReportCommand {
    pub fn execute(self) -> io::Result<Outcome> {
        let traces = match self.traces.is_empty() {
            false => self.traces.clone(),
            true => match latest_trace().filter(|path| path.is_file()) {
                Some(latest) => vec![latest],
                None => {
                    return failed(&ToolError {
                        code: "no-such-file".to_owned(),
                        message: "no run in an editor has left a trace yet".to_owned(),
                        path: None,
                        hint: "name a trace file: deeplocalize run --trace run.npz train.py writes one"
                            .to_owned(),
                    });
                }
            },
        };
        let configuration = match self.settings.configuration() {
            Ok(configuration) => configuration,
            Err(error) => return failed(&error),
        };
        let mut report = analyze(&AnalyzeOptions {
            traces,
            script: self.script.clone(),
            detector: self.paper.detector(self.detector),
        });
        config::filter(&mut report, &configuration);
        // A page without a training shows nothing.
        if report.trace.is_none() {
            for error in &report.errors {
                failed(error)?;
            }
            return Ok(FAILED);
        }
        self.show(&report)
    }

    fn show(&self, report: &Report) -> io::Result<Outcome> {
        let page = html::render(report);
        match &self.output {
            Some(path) if path == Path::new("-") => {
                let mut out = io::stdout().lock();
                let written = out.write_all(page.as_bytes()).and_then(|()| out.flush());
                written.or_else(common::reader_gone)?;
                Ok(0)
            }
            Some(path) => match std::fs::write(path, page) {
                Ok(()) => Ok(0),
                Err(error) => failed(&cannot_write(path, &error)),
            },
            None => open(&page),
        }
    }
}

/// Opens the page in the browser. Its file is the same every time, so that none pile up.
fn open(page: &str) -> io::Result<Outcome> {
    let folder = latest_trace().and_then(|latest| latest.parent().map(Path::to_owned));
    let path = folder.unwrap_or_else(std::env::temp_dir).join("report.html");
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&path, page));
    if let Err(error) = written {
        return failed(&cannot_write(&path, &error));
    }
    let mut out = anstream::stdout();
    match opener::open_browser(&path) {
        Ok(()) => writeln!(out, "opening {} in the browser", path.display())?,
        Err(_) => writeln!(out, "no browser was found; the page is {}", path.display())?,
    }
    Ok(0)
}

fn cannot_write(path: &Path, error: &io::Error) -> ToolError {
    ToolError {
        code: "cannot-write-report".to_owned(),
        message: format!("the page cannot be written: {error}"),
        path: Some(path.to_owned()),
        hint: String::new(),
    }
}
