//! `deeplocalize fix`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use finding::{Applicability, Finding, Fix as Patch, Verdict};

use super::common::{FAILED, Outcome, reader_gone};
use super::diff;
use super::interrupt::Interrupt;
use super::progress::View;
use super::run::seconds;
use super::settings::SettingsArguments;
use crate::check::FixedFile;
use crate::check::write;
use crate::config;
use crate::fixes;
use crate::output::style::{DIM, EMPHASIS, ERROR, GOOD, WARNING, paint};
use crate::output::write_error;
use crate::report::{Report, ToolError, effect};
use crate::run::{Cancel, RunOptions, TryFixes, localize};

const AFTER_HELP: &str = "\
Examples:
  deeplocalize fix train.py                   show the patch that helps most, and what it does
  deeplocalize fix --diff train.py | git apply
  deeplocalize fix --apply --check train.py   apply it, if a run of the patched script shows that it learns

Runs the script as `deeplocalize run` does, then tries changes of it in short trainings from the same start. No file \
is changed without --apply.

Exit status:
  0    the script needs no patch; or the patch was applied
  1    there is a patch, and it was not applied; or the script does not learn and no patch was found
  2    the tool could not do its work";

/// Find the change that makes a script learn, by trying
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, override_usage = "deeplocalize fix [OPTIONS] SCRIPT [ARGS]...")]
pub struct Fix {
    /// The script, then its own arguments, which are handed on as they are
    #[arg(
        value_name = "SCRIPT",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = false
    )]
    command: Vec<String>,
    /// Write the patched script
    #[arg(long, conflicts_with = "diff")]
    apply: bool,
    /// Print nothing but the patch, as a diff
    #[arg(long)]
    diff: bool,
    /// Run the patched script once more, and apply only what makes it learn
    #[arg(long)]
    check: bool,
    /// The interpreter to run it with
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Stop a run after that many batches, over all trainings
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    max_batches: u64,
    /// Stop a run after that many seconds of training
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    max_seconds: f64,
    /// Seconds that trying changes may take, beside importing Keras once more
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = seconds)]
    try_seconds: f64,
    /// Do not show how far the run has got
    #[arg(long)]
    no_progress: bool,
    /// Print the patch and errors only
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// A patch with the finding it mends.
struct Chosen<'a> {
    finding: &'a Finding,
    fix: &'a Patch,
    files: Vec<FixedFile>,
}

impl Fix {
    pub fn execute(self) -> io::Result<Outcome> {
        let configuration = match self.settings.configuration() {
            Ok(configuration) => configuration,
            Err(error) => return refuse(&error),
        };
        let cancel = Cancel::default();
        let interrupt = Interrupt::watch(cancel.clone())?;
        let mut report = self.run(BTreeMap::new(), TryFixes::Always, &cancel);
        config::filter(&mut report, &configuration);
        let status = self.settle(&report, &cancel)?;
        Ok(interrupt.status().unwrap_or(status))
    }

    fn run(&self, overrides: BTreeMap<PathBuf, String>, try_fixes: TryFixes, cancel: &Cancel) -> Report {
        let mut command = self.command.iter().cloned();
        let options = RunOptions {
            script: command.next().unwrap_or_default().into(),
            arguments: command.collect(),
            python: self.python.clone(),
            max_batches: self.max_batches,
            max_seconds: self.max_seconds,
            overrides,
            try_fixes,
            try_seconds: self.try_seconds,
            ..RunOptions::default()
        };
        let mut view = View::new(!self.no_progress && !self.quiet, self.max_batches);
        let report = localize(&options, cancel, &mut |progress| view.update(&progress));
        view.finish();
        report
    }

    /// Shows, checks and applies what was found.
    fn settle(&self, report: &Report, cancel: &Cancel) -> io::Result<Outcome> {
        for error in &report.errors {
            write_error(error, &mut anstream::stderr())?;
        }
        let script = report
            .files
            .first()
            .map_or_else(String::new, |path| path.display().to_string());
        let Some(chosen) = choose(report) else {
            return Ok(match report.verdict {
                _ if !report.errors.is_empty() => FAILED,
                Verdict::Healthy => {
                    self.say(&format!("{script} {}: it needs no patch", paint(GOOD, "learns")))?;
                    0
                }
                Verdict::Inconclusive => {
                    self.say(&format!(
                        "{}: no fault and no patch found",
                        paint(WARNING, "inconclusive")
                    ))?;
                    0
                }
                Verdict::Faulty | Verdict::Crashed => {
                    let line = format!(
                        "{script} {}, and no change that was tried makes it: see `deeplocalize run {script}`",
                        paint(ERROR, "does not learn")
                    );
                    self.say(&line)?;
                    1
                }
            });
        };
        if !self.apply {
            let mut out = io::BufWriter::new(anstream::stdout());
            let written = chosen
                .files
                .iter()
                .try_for_each(|file| diff::write(file, &mut out));
            written.and_then(|()| out.flush()).or_else(reader_gone)?;
        }
        self.tell(&chosen)?;
        if self.check && !self.checked(&chosen, cancel)? {
            return Ok(1);
        }
        if !self.apply {
            return Ok(1);
        }
        for file in &chosen.files {
            if let Err(error) = write::replace(&file.path, file.before.as_bytes(), file.after.as_bytes()) {
                return refuse(&ToolError {
                    code: "unwritable".into(),
                    message: format!("cannot write {}: {error}", file.path.display()),
                    path: Some(file.path.clone()),
                    hint: String::new(),
                });
            }
            self.say(&format!("{} {}", paint(GOOD, "patched"), file.path.display()))?;
        }
        Ok(0)
    }

    /// Says what the patch is for and what it does.
    fn tell(&self, chosen: &Chosen<'_>) -> io::Result<()> {
        let Chosen { finding, fix, .. } = chosen;
        self.say(&format!("{}: {}", paint(EMPHASIS, finding.code), finding.message))?;
        let measured = fix.trial.as_ref().map_or_else(
            || paint(DIM, "its effect was not measured"),
            |trial| paint(GOOD, effect(trial)),
        );
        self.say(&format!("{}: {measured}", fix.title))?;
        let others = finding
            .fixes
            .iter()
            .filter(|other| other.trial.is_some() && other.title != fix.title);
        for other in others {
            let measured = other.trial.as_ref().map(effect).unwrap_or_default();
            let line = format!("about as good: {} ({measured})", other.title);
            self.say(&paint(DIM, line))?;
        }
        Ok(())
    }

    /// Runs the patched script; whether it learns.
    fn checked(&self, chosen: &Chosen<'_>, cancel: &Cancel) -> io::Result<bool> {
        let texts = chosen
            .files
            .iter()
            .map(|file| (file.path.clone(), file.after.clone()));
        let report = self.run(texts.collect(), TryFixes::Never, cancel);
        for error in &report.errors {
            write_error(error, &mut anstream::stderr())?;
        }
        let learns = report.verdict == Verdict::Healthy;
        let line = match report.findings.first().filter(|_| !learns) {
            None if learns => format!("checked: the patched script {}", paint(GOOD, "learns")),
            None => format!(
                "checked: whether the patched script learns is {}",
                paint(WARNING, "not clear")
            ),
            Some(finding) => format!(
                "checked: in the patched script there is still {} ({})",
                paint(ERROR, finding.code),
                finding.message
            ),
        };
        self.say(&line)?;
        Ok(learns)
    }

    fn say(&self, line: &str) -> io::Result<()> {
        if self.quiet || self.diff {
            return Ok(());
        }
        writeln!(anstream::stderr(), "{line}")
    }
}

fn refuse(error: &ToolError) -> io::Result<Outcome> {
    write_error(error, &mut anstream::stderr())?;
    Ok(FAILED)
}

/// The patch to offer: the one with the best measured effect, else one that needs no second look.
fn choose(report: &Report) -> Option<Chosen<'_>> {
    let fixes = || {
        report
            .findings
            .iter()
            .flat_map(|finding| finding.fixes.iter().map(move |fix| (finding, fix)))
    };
    let (finding, fix) = fixes().find(|(_, fix)| fix.trial.is_some()).or_else(|| {
        fixes().find(|(_, fix)| fix.applicability == Applicability::Safe && !fix.edits.is_empty())
    })?;
    let mut paths: Vec<&Path> = fix.edits.iter().map(|edit| edit.path.as_path()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let before = report.text(path)?;
        let after = fixes::apply(before, fix.edits.iter().filter(|edit| edit.path == path))?;
        files.push(FixedFile {
            path: path.to_owned(),
            before: before.to_owned(),
            after,
            applied: vec![finding.code],
        });
    }
    Some(Chosen { finding, fix, files })
}
