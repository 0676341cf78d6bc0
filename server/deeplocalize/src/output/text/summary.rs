//! The verdict in a sentence.

use std::path::Path;

use finding::{Severity, Verdict};

use super::finding::number;
use super::visible;
use crate::output::style::{EMPHASIS, ERROR, GOOD, WARNING, paint};
use crate::output::{Sources, count};
use crate::report::{FitSummary, Report, RunSummary, WrittenSummary};

/// The closing line of a report; none where the errors have said everything.
pub fn sentence(report: &Report) -> Option<String> {
    let trained = report.run.as_ref().is_some_and(|run| !run.fits.is_empty());
    if report.findings.is_empty() && !report.errors.is_empty() && report.files.len() <= 1 && !trained {
        return None;
    }
    Some(match &report.run {
        Some(run) => of_run(report, run),
        None => of_check(report),
    })
}

/// Why the run waited for the framework, where it might not have had to.
pub fn fallback(report: &Report, sources: &Sources<'_>) -> Option<String> {
    let fallback = report.run.as_ref()?.fallback.as_ref()?;
    let place = fallback
        .path
        .as_deref()
        .zip(fallback.range)
        .and_then(|(path, range)| {
            let line = sources.span(path, range)?.start.0;
            Some(format!(" ({}:{line})", visible(&path.to_string_lossy())))
        });
    let what = visible(&fallback.what);
    let what = what.trim_end_matches(',');
    Some(format!(
        "trained in Keras itself: the native engine does not cover {what}{}",
        place.unwrap_or_default()
    ))
}

/// The file with what the script printed, where somebody may want to look into it: the run went wrong, or told little.
pub fn log(report: &Report) -> Option<&Path> {
    let log = report.run.as_ref()?.log.as_deref()?;
    let told = matches!(report.verdict, Verdict::Faulty | Verdict::Healthy) && report.errors.is_empty();
    let printed = std::fs::metadata(log).map_or(true, |metadata| metadata.len() > 0);
    (!told && printed).then_some(log)
}

/// What trying changes came to; `None` when nothing was to be tried.
pub fn tried(report: &Report) -> Option<String> {
    let tried = report.run.as_ref()?.tried.as_ref()?;
    if let Some(obstacle) = &tried.obstacle {
        return Some(format!("no change could be tried: {}", visible(obstacle)));
    }
    let trials = count(tried.trials, "short training");
    let changes = count(tried.changes, "change");
    let helped = match tried.helped {
        0 if tried.unsure > 0 => "some help, but not so plainly that the script must be faulty".to_owned(),
        0 => "none helps by more than chance would".to_owned(),
        1 => "one helps".to_owned(),
        several => format!("{several} help about as much"),
    };
    Some(format!(
        "tried {changes} in {trials} ({:.1} s): {helped}",
        tried.seconds
    ))
}

fn of_check(report: &Report) -> String {
    let found = tally(report);
    let files = match report.files.as_slice() {
        [file] => visible(&file.to_string_lossy()),
        files => count(files.len(), "file"),
    };
    match report.verdict {
        Verdict::Faulty | Verdict::Crashed => {
            let mut paths: Vec<&Path> = report
                .findings
                .iter()
                .map(|finding| finding.path.as_path())
                .collect();
            paths.sort_unstable();
            paths.dedup();
            let place = if report.files.len() > 1 {
                format!("{} of {files}", paths.len())
            } else {
                files
            };
            format!("{} in {place}", paint(ERROR, found))
        }
        Verdict::Healthy if found.is_empty() => {
            format!("{}: nothing found in {files}", paint(GOOD, "healthy"))
        }
        Verdict::Healthy => format!("{}: nothing but {found} in {files}", paint(GOOD, "healthy")),
        Verdict::Inconclusive => {
            let why = if report.files.is_empty() {
                "nothing could be checked".to_owned()
            } else {
                let found = if found.is_empty() { "nothing" } else { &found };
                format!("found {found} in what could be checked of {files}")
            };
            format!("{}: {why}", paint(WARNING, "inconclusive"))
        }
    }
}

fn of_run(report: &Report, run: &RunSummary) -> String {
    let script = report.files.first().map(|path| visible(&path.to_string_lossy()));
    let script = paint(EMPHASIS, script.unwrap_or_else(|| "the script".into()));
    let found = tally(report);
    let after = after(run);
    match report.verdict {
        Verdict::Faulty => format!("{script} {}: {found}{after}", paint(ERROR, "is faulty")),
        Verdict::Crashed if found.is_empty() => format!("{script} {}{after}", paint(ERROR, "crashed")),
        Verdict::Crashed => format!("{script} {}: {found}{after}", paint(ERROR, "crashed")),
        Verdict::Healthy => {
            let found = if found.is_empty() {
                "nothing found".to_owned()
            } else {
                format!("nothing but {found}")
            };
            format!("{script} is {}: {found}{after}", paint(GOOD, "healthy"))
        }
        Verdict::Inconclusive => format!("{}: {}", paint(WARNING, "inconclusive"), why(run, &found, &after)),
    }
}

/// Why a run says nothing.
fn why(run: &RunSummary, found: &str, after: &str) -> String {
    let Some(last) = run.fits.last() else {
        return "no training was seen".into();
    };
    let found = if found.is_empty() { "nothing found" } else { found };
    let reason = match last.stopped {
        "budget" => "; more batches or seconds (--max-batches, --max-seconds) may settle it",
        "cancelled" => "; the run was cancelled",
        "script-error" => "; the script ended in an error",
        _ => ", too little to call it healthy",
    };
    format!("{found}{after}{reason}")
}

/// ` after 480 steps (loss 0.693 → 0.080)`.
fn after(run: &RunSummary) -> String {
    let batches: u64 = run.fits.iter().map(|fit| fit.batches_seen).sum();
    if batches == 0 {
        return String::new();
    }
    let steps = count(usize::try_from(batches).unwrap_or(usize::MAX), "step");
    let trainings = match run.fits.len() {
        1 => String::new(),
        trainings => format!(" of {trainings} trainings"),
    };
    let loss = run.fits.last().and_then(loss).unwrap_or_default();
    format!(" after {steps}{trainings}{loss}")
}

fn loss(fit: &FitSummary) -> Option<String> {
    match fit.loss.as_slice() {
        [] => None,
        [only] => Some(format!(" (loss {})", number(*only))),
        [first, .., last] => Some(format!(" (loss {} → {})", number(*first), number(*last))),
    }
}

/// `1 error, 2 warnings`; empty when there is nothing.
fn tally(report: &Report) -> String {
    let nouns = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Information, "remark"),
        (Severity::Hint, "hint"),
    ];
    let of = |severity| {
        let same = |finding: &&finding::Finding| finding.severity == severity;
        report.findings.iter().filter(same).count()
    };
    let parts: Vec<_> = nouns
        .iter()
        .map(|&(severity, noun)| (of(severity), noun))
        .filter(|&(number, _)| number > 0)
        .map(|(number, noun)| count(number, noun))
        .collect();
    parts.join(", ")
}

/// Files named in the sentence on what was written.
const NAMED: usize = 3;

/// What the script wrote, and where that is; `None` when it wrote nothing.
pub fn written(written: &WrittenSummary) -> Option<String> {
    let names: Vec<_> = written
        .files
        .iter()
        .filter_map(|(path, _)| path.file_name())
        .take(NAMED)
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let more = written.count.saturating_sub(names.len());
    let named = match (names.len(), more) {
        (0, _) => return None,
        (1, 0) => names.join(""),
        (_, 0) => names.join(", "),
        (_, 1) => format!("{} and 1 more file", names.join(", ")),
        (_, more) => format!("{} and {more} more files", names.join(", ")),
    };
    Some(match &written.folder {
        _ if written.committed => format!("the script wrote {named}"),
        Some(folder) => format!(
            "what the script wrote ({named}) is kept apart in {}; your own files are as they were",
            folder.display()
        ),
        None => format!("what the script wrote ({named}) was not kept; your own files are as they were"),
    })
}
