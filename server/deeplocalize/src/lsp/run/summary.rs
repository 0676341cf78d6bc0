//! Runs in one line.

use std::path::Path;

use finding::Verdict;

use super::super::state::State;
use crate::report::{Report, ToolError};
use crate::run::Progress;

/// Name of a file for a person.
pub fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// What kept the tool from doing its work.
pub fn error(error: &ToolError) -> String {
    if error.hint.is_empty() {
        error.message.clone()
    } else {
        format!("{} {}", error.message, error.hint)
    }
}

/// How far a run has got.
pub fn progress(progress: &Progress) -> String {
    match progress {
        Progress::Preparing(text) => text.clone(),
        Progress::Starting { interpreter } => format!("starting {}", interpreter.display()),
        Progress::Imported { keras, backend } => format!("Keras {keras} on {backend}, waiting for training"),
        Progress::Training {
            epoch,
            epochs,
            step,
            loss,
            metric,
            ..
        } => {
            let of = epochs.map(|epochs| format!("/{epochs}")).unwrap_or_default();
            let metric = metric
                .as_ref()
                .map(|(name, value)| format!(", {name} {value:.4}"))
                .unwrap_or_default();
            format!(
                "epoch {}{of}, step {}, loss {loss:.4}{metric}",
                u64::from(*epoch) + 1,
                step + 1
            )
        }
        Progress::Trying { change, .. } => match change {
            Some(change) => format!("trying: {change}"),
            None => "trying changes".to_owned(),
        },
    }
}

/// How much training a run saw.
pub fn seen(report: &Report) -> String {
    let fits = report
        .run
        .as_ref()
        .map(|run| run.fits.as_slice())
        .unwrap_or_default();
    match fits.iter().map(|fit| fit.batches_seen).sum() {
        0_u64 => "no training seen".to_owned(),
        1 => "1 batch seen".to_owned(),
        batches => format!("{batches} batches seen"),
    }
}

/// The verdict with the best explanation, or with how much it rests on.
pub fn verdict(state: &State, verdict: Verdict, seen: &str) -> String {
    let Some(best) = state.results.findings().first() else {
        let explanation = match verdict {
            Verdict::Healthy => "no fault found",
            Verdict::Inconclusive => "no fault found, but not enough seen to call it healthy",
            Verdict::Faulty | Verdict::Crashed => "no line can be named",
        };
        return format!("{}: {explanation} ({seen}).", verdict.as_str());
    };
    let line = state
        .results
        .text(&best.path)
        .map(|text| format!(":{}", text.line(best.range.start) + 1))
        .unwrap_or_default();
    let message = best.message.lines().next().unwrap_or_default();
    let more = match state.results.findings().len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    format!(
        "{}: {}{line}: {message}{more}",
        verdict.as_str(),
        file_name(&best.path)
    )
}
