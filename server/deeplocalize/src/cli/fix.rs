//! `deeplocalize fix`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use finding::{Applicability, Finding, Fix as Patch, Severity, Verdict};

use super::common::{FAILED, Outcome, failed, reader_gone};
use super::diff;
use super::interrupt::Interrupt;
use super::script::{ScriptArguments, seconds};
use super::settings::SettingsArguments;
use crate::check::FixedFile;
use crate::check::script::BYTE_ORDER_MARK;
use crate::check::write;
use crate::config;
use crate::fixes;
use crate::output::style::{DIM, EMPHASIS, ERROR, GOOD, WARNING, paint};
use crate::output::{tried, write_error};
use crate::report::{Report, ToolError, effect};
use crate::run::{Cancel, RunOptions, TryFixes, localize};

const AFTER_HELP: &str = "\
Examples:
  deeplocalize fix train.py                   show the patch that helps most, and what it does
  deeplocalize fix --diff train.py | git apply
  deeplocalize fix --apply --check train.py   apply it, if a run of the patched script shows that it learns

Runs the script as `deeplocalize run` does, then tries changes of it in short trainings from the same start. No file \
is changed without --apply. With --check a patch that does not make the script learn is neither shown nor applied.

Exit status:
  0    the script needs no patch; or the patch was applied
  1    there is a patch, and it was not applied; or the script is faulty and no patch was found, or none that passed
       --check
  2    the tool could not do its work";

/// Find the change that makes a script learn, by trying
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, override_usage = "deeplocalize fix [OPTIONS] SCRIPT [ARGS]...")]
pub struct Fix {
    #[command(flatten)]
    script: ScriptArguments,
    /// Write the patched script
    #[arg(long, conflicts_with = "diff")]
    apply: bool,
    /// Print nothing but the patch, as a diff
    #[arg(long)]
    diff: bool,
    /// Run the patched script once more, and show or apply only what makes it learn
    #[arg(long)]
    check: bool,
    /// Seconds that trying changes may take, beside importing Keras once more
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = seconds)]
    try_seconds: f64,
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
            Err(error) => return failed(&error),
        };
        let cancel = Cancel::default();
        let interrupt = Interrupt::watch(cancel.clone())?;
        let mut report = self.run(BTreeMap::new(), TryFixes::Always, &cancel);
        config::filter(&mut report, &configuration);
        let mut check = |chosen: &Chosen<'_>| self.checked(chosen, &cancel);
        let status = self.settle(&report, &cancel, &mut anstream::stdout(), &mut check)?;
        Ok(interrupt.status().unwrap_or(status))
    }

    fn run(&self, overrides: BTreeMap<PathBuf, String>, try_fixes: TryFixes, cancel: &Cancel) -> Report {
        let options = RunOptions {
            overrides,
            try_fixes,
            try_seconds: self.try_seconds,
            ..self.script.options()
        };
        let mut view = self.script.view(self.quiet);
        let report = localize(&options, cancel, &mut |progress| view.update(&progress));
        view.finish();
        report
    }

    /// Shows, checks and applies what was found.
    fn settle(
        &self,
        report: &Report,
        cancel: &Cancel,
        out: &mut dyn Write,
        check: &mut dyn FnMut(&Chosen<'_>) -> io::Result<bool>,
    ) -> io::Result<Outcome> {
        if let Some(status) = obstacle(report)? {
            return Ok(status);
        }
        let Some(chosen) = choose(report) else {
            let (line, status) = without_patch(report);
            self.say(&line)?;
            return Ok(status);
        };
        self.tell(&chosen)?;
        if self.check && (cancel.is_cancelled() || !check(&chosen)?) {
            return Ok(1);
        }
        if !self.apply {
            let mut out = io::BufWriter::new(out);
            let written = chosen
                .files
                .iter()
                .try_for_each(|file| diff::write(file, &mut out));
            written.and_then(|()| out.flush()).or_else(reader_gone)?;
            return Ok(1);
        }
        if cancel.is_cancelled() {
            self.say("the run was cancelled: nothing was written")?;
            return Ok(1);
        }
        for file in &chosen.files {
            if let Err(error) = write::replace(&file.path, file.before.as_bytes(), file.after.as_bytes()) {
                return failed(&ToolError {
                    code: "cannot-fix".into(),
                    message: format!("cannot write {}: {error}", file.path.display()),
                    path: Some(file.path.clone()),
                    hint: "the file is as it was".into(),
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
        let texts = chosen.files.iter().map(|file| {
            (
                file.path.clone(),
                file.after.trim_start_matches(BYTE_ORDER_MARK).to_owned(),
            )
        });
        let report = self.run(texts.collect(), TryFixes::Never, cancel);
        for error in &report.errors {
            write_error(error, &mut anstream::stderr())?;
        }
        let learns = report.verdict == Verdict::Healthy && !cancel.is_cancelled();
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

/// The exit status when errors kept the run from saying anything that a patch could rest on. That the script itself raised an
/// error is no such thing: the finding may know how to mend it.
fn obstacle(report: &Report) -> io::Result<Option<Outcome>> {
    let mut status = None;
    for error in &report.errors {
        if error.code == "script-crashed" {
            write_error(error, &mut anstream::stderr())?;
        } else {
            status = Some(failed(error)?);
        }
    }
    Ok(status)
}

/// What to say when there is no patch, and the exit status.
fn without_patch(report: &Report) -> (String, Outcome) {
    let script = report
        .files
        .first()
        .map_or_else(String::new, |path| path.display().to_string());
    let more = format!("see `deeplocalize run {script}`");
    let tried = tried(report);
    match report.verdict {
        _ if !report.errors.is_empty() => (format!("no patch was found: {more}"), FAILED),
        Verdict::Healthy => (
            format!("{script} {}: it needs no patch", paint(GOOD, "learns")),
            0,
        ),
        Verdict::Inconclusive => {
            let tried = tried.map(|tried| format!("; {tried}")).unwrap_or_default();
            let inconclusive = paint(WARNING, "inconclusive");
            (format!("{inconclusive}: no fault and no patch found{tried}"), 0)
        }
        Verdict::Faulty => {
            let tried = tried.unwrap_or_else(|| "there was no change to try".to_owned());
            let fault = paint(ERROR, "is faulty");
            (
                format!("{script} {fault}, and no patch was found ({tried}): {more}"),
                1,
            )
        }
        Verdict::Crashed => {
            let fault = paint(ERROR, "crashed");
            (format!("{script} {fault}, and no safe fix is known: {more}"), 1)
        }
    }
}

/// The patch to offer: the one with the best measured effect, else one of a fault that needs no second look and was not tried in
/// vain. Of a script that crashed, only what is blamed first counts.
fn choose(report: &Report) -> Option<Chosen<'_>> {
    let blamed = match report.verdict {
        Verdict::Crashed => report.findings.len().min(1),
        _ => report.findings.len(),
    };
    let fixes = || {
        report.findings[..blamed]
            .iter()
            .flat_map(|finding| finding.fixes.iter().map(move |fix| (finding, fix)))
    };
    let trials = report.run.as_ref().and_then(|run| run.tried.as_ref());
    let idle = |fix: &Patch| trials.is_some_and(|tried| tried.idle.contains(&fix.edits));
    let safe = |(finding, fix): &(&Finding, &Patch)| {
        finding.severity >= Severity::Warning
            && fix.applicability == Applicability::Safe
            && !fix.edits.is_empty()
            && !idle(fix)
    };
    let (finding, fix) = fixes()
        .find(|(_, fix)| fix.trial.is_some())
        .or_else(|| fixes().find(safe))?;
    let mut paths: Vec<&Path> = fix.edits.iter().map(|edit| edit.path.as_path()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let before = report.text(path)?;
        let after = fixes::apply(before, fix.edits.iter().filter(|edit| edit.path == path))?;
        // A mark that stands before the text in the file stays there.
        let mark = match std::fs::read(path) {
            Ok(bytes) if bytes.starts_with(BYTE_ORDER_MARK.as_bytes()) => BYTE_ORDER_MARK,
            _ => "",
        };
        files.push(FixedFile {
            path: path.to_owned(),
            before: format!("{mark}{before}"),
            after: format!("{mark}{after}"),
            applied: vec![finding.code],
        });
    }
    Some(Chosen { finding, fix, files })
}

#[cfg(test)]
mod tests;
