//! The loop that owns the state. It never waits for anything but the next event.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::mpsc;

use super::event::Event;
use super::methods;
use super::state::State;
use super::{notebook, quick_check, run};

/// State and the events that change it.
pub struct MainLoop {
    state: State,
    inbox: mpsc::UnboundedReceiver<Event>,
}

impl MainLoop {
    /// A loop that has not begun.
    pub fn new(state: State, inbox: mpsc::UnboundedReceiver<Event>) -> Self {
        MainLoop { state, inbox }
    }

    /// Handles events until the server ends.
    pub async fn run(mut self) {
        while let Some(event) = self.inbox.recv().await {
            // One event that cannot be handled must not end the session; who waits for an answer gets an error.
            if catch_unwind(AssertUnwindSafe(|| handle(&mut self.state, event))).is_err() {
                tracing::error!("an event could not be handled");
            }
            if self.state.runs.is_idle()
                && let Some(stopped) = self.state.stopped.take()
            {
                let _ = stopped.send(());
                return;
            }
        }
    }
}

fn handle(state: &mut State, event: Event) {
    match event {
        Event::Initialize(params, answer) => {
            let _ = answer.send(Ok(methods::initialize::initialize(state, *params)));
        }
        Event::Initialized => methods::initialize::initialized(state),
        Event::Open(document) => methods::did_open::did_open(state, document),
        Event::Change(params) => methods::did_change::did_change(state, params),
        Event::Save(uri) => methods::did_save::did_save(state, &uri),
        Event::Close(uri) => methods::did_close::did_close(state, &uri),
        Event::NotebookOpen(params) => methods::notebook::did_open(state, params),
        Event::NotebookChange(params) => methods::notebook::did_change(state, params),
        Event::NotebookSave(uri) => methods::notebook::did_save(state, &uri),
        Event::NotebookClose(params) => methods::notebook::did_close_notebook(state, params),
        Event::NotebookChecked(uri, cells, files) => notebook::finished(state, &uri, cells, files),
        Event::Configuration(settings) => methods::configuration::did_change_configuration(state, &settings),
        Event::Settings(settings) => methods::configuration::settings(state, &settings),
        Event::SettingsFilesChanged => methods::watched_files::did_change_watched_files(state),
        Event::Ask(uri, question) => methods::ask(state, &uri, question),
        Event::Command(params, answer) if params.command == methods::execute_command::CHECK => {
            methods::check::check(state, &params.arguments, answer);
        }
        Event::Command(params, answer) => {
            let _ = answer.send(methods::execute_command::execute_command(state, params));
        }
        Event::ProgressCancelled(token) => methods::progress_cancel::progress_cancel(state, &token),
        Event::Shutdown(answer) => {
            run::cancel(state);
            let _ = answer.send(Ok(()));
        }
        Event::Checked(uri, revision, file) => quick_check::finished(state, &uri, revision, file),
        Event::ProgressCreated(generation, created) => run::progress::created(state, generation, created),
        Event::RunProgress(generation, progress) => run::progress::report(state, generation, &progress),
        Event::RunUsesUnsavedTexts(generation, paths) => run::uses_unsaved_texts(state, generation, &paths),
        Event::RunFinished(generation, report) => run::finished(state, generation, report),
        Event::Stop(stopped) => {
            run::cancel(state);
            state.stopped = Some(stopped);
        }
    }
}
