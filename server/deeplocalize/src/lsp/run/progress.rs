//! Progress of a run in the editor.

use std::time::{Duration, Instant};

use tower_lsp::ls_types::{
    ProgressToken, WorkDoneProgress, WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport,
};

use super::super::client::Message;
use super::super::state::State;
use super::super::status;
use super::summary;
use crate::run::Progress;

/// Shortest time between two reports.
const INTERVAL: Duration = Duration::from_millis(100);
const TOKEN: &str = "deeplocalize/run/";

/// What the client shows of a run.
#[derive(Debug)]
pub struct Shown {
    generation: u64,
    begun: bool,
    last: Option<Instant>,
}

impl Shown {
    /// Asks the client for a place to show progress in; it begins when the client agrees.
    pub fn new(state: &State, generation: u64) -> Self {
        if state.client.progress {
            state.say(Message::CreateProgress(generation, token(generation)));
        }
        Shown {
            generation,
            begun: false,
            last: None,
        }
    }

    /// Takes the progress away again.
    pub fn end(&self, state: &State, message: String) {
        if self.begun {
            let end = WorkDoneProgress::End(WorkDoneProgressEnd {
                message: Some(message),
            });
            state.say(Message::Progress(token(self.generation), end));
        }
    }
}

fn token(generation: u64) -> ProgressToken {
    ProgressToken::String(format!("{TOKEN}{generation}"))
}

/// The run that a token belongs to.
pub fn generation(token: &ProgressToken) -> Option<u64> {
    match token {
        ProgressToken::String(token) => token.strip_prefix(TOKEN)?.parse().ok(),
        ProgressToken::Number(_) => None,
    }
}

/// The client answered the question for a place.
pub fn created(state: &mut State, generation: u64, created: bool) {
    let Some(active) = state.runs.active(generation).filter(|_| created) else {
        return;
    };
    active.progress.begun = true;
    let begin = WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title: "Localizing faults".to_owned(),
        cancellable: Some(true),
        message: Some(summary::file_name(&active.request.options.script)),
        percentage: None,
    });
    state.say(Message::Progress(token(generation), begin));
}

/// A run got further.
pub fn report(state: &mut State, generation: u64, progress: &Progress) {
    let Some(active) = state.runs.active(generation) else {
        return;
    };
    let shown = &mut active.progress;
    if shown.last.is_some_and(|last| last.elapsed() < INTERVAL) {
        return;
    }
    shown.last = Some(Instant::now());
    let begun = shown.begun;
    let script = summary::file_name(&active.request.options.script);
    status::running(state, script, summary::progress(progress));
    if !begun {
        return;
    }
    let report = WorkDoneProgress::Report(WorkDoneProgressReport {
        cancellable: Some(true),
        message: Some(summary::progress(progress)),
        percentage: None,
    });
    state.say(Message::Progress(token(generation), report));
}
