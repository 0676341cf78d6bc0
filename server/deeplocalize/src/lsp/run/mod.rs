//! Localisation runs: at most one at a time and one that waits; the last request wins.

pub mod progress;
mod summary;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tower_lsp::ls_types::{MessageType, Uri};

use super::client::Message;
use super::event::Event;
use super::position::IndexedText;
use super::run_results::same_file;
use super::state::State;
use super::{places, publish, status};
use crate::config;
use crate::report::Report;
use crate::run::{Cancel, Progress, RunOptions};

/// Runs a script and localises its faults; blocks. Tests put their own in its place.
pub type Runner = Arc<dyn Fn(&RunOptions, &Cancel, &mut dyn FnMut(Progress)) -> Report + Send + Sync>;

/// The present run and the next.
#[derive(Debug, Default)]
pub struct Runs {
    generations: u64,
    active: Option<Active>,
    pending: Option<Request>,
}

#[derive(Debug)]
struct Request {
    generation: u64,
    uri: Uri,
    options: RunOptions,
}

#[derive(Debug)]
struct Active {
    request: Request,
    cancel: Cancel,
    progress: progress::Shown,
}

impl Runs {
    /// Whether there is no run.
    pub fn is_idle(&self) -> bool {
        self.active.is_none()
    }

    /// Whether a document's script is running, or about to, and has not been told to end.
    pub fn is_running(&self, uri: &Uri) -> bool {
        let active = self
            .active
            .as_ref()
            .filter(|active| !active.cancel.is_cancelled());
        active.is_some_and(|active| active.request.uri == *uri)
            || self.pending.as_ref().is_some_and(|pending| pending.uri == *uri)
    }

    fn active(&mut self, generation: u64) -> Option<&mut Active> {
        self.active
            .as_mut()
            .filter(|active| active.request.generation == generation)
    }
}

/// Runs a script as soon as the present run, which is asked to end, is gone. The generation of the new run.
pub fn request(state: &mut State, uri: Uri, options: RunOptions) -> u64 {
    state.runs.generations += 1;
    let generation = state.runs.generations;
    let request = Request {
        generation,
        uri,
        options,
    };
    if let Some(active) = &state.runs.active {
        active.cancel.cancel();
        state.runs.pending = Some(request);
    } else {
        start(state, request);
    }
    refresh_lenses(state);
    generation
}

/// Asks the present run to end and forgets the next. Whether there was anything to cancel.
pub fn cancel(state: &mut State) -> bool {
    let pending = state.runs.pending.take().is_some();
    let active = state
        .runs
        .active
        .as_ref()
        .filter(|active| !active.cancel.is_cancelled());
    if let Some(active) = active {
        active.cancel.cancel();
    } else if !pending {
        return false;
    }
    refresh_lenses(state);
    true
}

/// Cancels when the progress the client speaks of is that of the present run.
pub fn cancel_generation(state: &mut State, generation: u64) {
    if state.runs.active(generation).is_some() {
        cancel(state);
    }
}

fn start(state: &mut State, request: Request) {
    let generation = request.generation;
    let cancel = Cancel::default();
    let progress = progress::Shown::new(state, generation);
    let script = summary::file_name(&request.options.script);
    status::running(state, script, "starting".to_owned());
    let mut options = request.options.clone();
    let shown: Vec<_> = state
        .documents
        .values()
        .map(|document| (document.path.clone(), Arc::clone(&document.text)))
        .collect();
    state.runs.active = Some(Active {
        request,
        cancel: cancel.clone(),
        progress,
    });

    let (runner, events) = (Arc::clone(&state.runner), state.events.clone());
    tokio::spawn(async move {
        let during = events.clone();
        let run = tokio::task::spawn_blocking(move || {
            let unsaved = shown
                .into_iter()
                .filter(|(path, text)| differs_from_disk(text, path));
            options
                .overrides
                .extend(unsaved.map(|(path, text)| (path, text.as_str().to_owned())));
            if !options.overrides.is_empty() {
                let paths = options.overrides.keys().cloned().collect();
                let _ = during.send(Event::RunUsesUnsavedTexts(generation, paths));
            }
            runner(&options, &cancel, &mut |progress| {
                let _ = during.send(Event::RunProgress(generation, progress));
            })
        });
        let report = run.await.ok().map(Box::new);
        let _ = events.send(Event::RunFinished(generation, report));
    });
}

/// Whether the editor shows something else than the file that is on disk. Editors normalise line ends and hide byte order marks.
fn differs_from_disk(shown: &IndexedText, script: &Path) -> bool {
    let Ok(on_disk) = std::fs::read_to_string(script) else {
        return false;
    };
    let on_disk = on_disk.strip_prefix('\u{feff}').unwrap_or(&on_disk);
    shown
        .as_str()
        .trim_start_matches('\u{feff}')
        .lines()
        .ne(on_disk.lines())
}

/// Tells the user that the run sees what the editor shows, not what is on disk.
pub fn uses_unsaved_texts(state: &mut State, generation: u64, paths: &[PathBuf]) {
    if state.runs.active(generation).is_some() {
        let names: Vec<String> = paths.iter().map(|path| summary::file_name(path)).collect();
        let verb = if names.len() == 1 { "has" } else { "have" };
        state.show(
            MessageType::INFO,
            format!(
                "{} {verb} unsaved changes: DeepLocalize runs what the editor shows and leaves the disk as it is.",
                names.join(", ")
            ),
        );
    }
}

/// A run is over. One that was cancelled changes nothing; `None` means that it panicked.
pub fn finished(state: &mut State, generation: u64, report: Option<Box<Report>>) {
    if state.runs.active(generation).is_none() {
        return;
    }
    let Some(active) = state.runs.active.take() else {
        return;
    };
    let mut verdict = None;
    let end = match report {
        _ if active.cancel.is_cancelled() => "cancelled".to_owned(),
        None => {
            let text = "DeepLocalize itself failed during the run; its log (DEEPLOCALIZE_LOG) tells where.";
            state.show(MessageType::ERROR, text);
            "failed".to_owned()
        }
        Some(mut report) => {
            config::filter(&mut report, &state.configuration);
            verdict = Some(report.verdict);
            conclude(state, &active, *report)
        }
    };
    active.progress.end(state, end.clone());
    status::ended(
        state,
        summary::file_name(&active.request.options.script),
        end,
        verdict,
    );
    if let Some(next) = state.runs.pending.take() {
        start(state, next);
    }
    refresh_lenses(state);
}

/// Shows what a run found; how it ended, in one line.
fn conclude(state: &mut State, active: &Active, report: Report) -> String {
    for error in &report.errors {
        state.show(MessageType::ERROR, summary::error(error));
    }
    let only_errors = report.findings.is_empty() && !report.errors.is_empty();
    let verdict = report.verdict;
    let seen = summary::seen(&report);

    let before = state.results.paths();
    let options = &active.request.options;
    let directory = options.directory.clone().unwrap_or_default();
    let open: Vec<_> = state
        .documents
        .values()
        .map(|document| (document.path.clone(), Arc::clone(&document.text)))
        .collect();
    state.last_report = Some(Box::new(report.clone()));
    state.results.replace(report, |path| {
        let path = directory.join(path);
        open.iter()
            .map(|(open, _)| open)
            .find(|open| same_file(open, &path))
            .cloned()
            .unwrap_or(path)
    });
    let line = summary::verdict(state, verdict, &seen);
    for (path, text) in &open {
        state.results.adopt(path, text);
    }
    publish::run_findings(state, before);
    if !only_errors {
        state.show(MessageType::INFO, line.clone());
    }
    line
}

/// Removes what runs found.
pub fn clear(state: &mut State) {
    let before = state.results.paths();
    state.results.clear();
    publish::run_findings(state, before);
}

/// The path of a script that can be run; says why it cannot.
pub fn script(uri: &Uri) -> Result<std::path::PathBuf, String> {
    let path = places::file_path(uri)
        .ok_or_else(|| format!("{} is not a file: save it first, then run it.", uri.as_str()))?;
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!(
            "{} does not exist on disk: save it first.",
            path.display()
        ))
    }
}

fn refresh_lenses(state: &State) {
    if state.client.refresh_lenses {
        state.say(Message::RefreshLenses);
    }
}
