//! Checks of open documents: parse and rules, in another thread. While one goes on, edits are only noted: the next check
//! begins when it is over, so fast typing is checked as often as there is time for.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use finding::{Finding, Range};
use program::Program;
use tower_lsp::ls_types::Uri;

use super::client::Message;
use super::event::Event;
use super::outline::Outline;
use super::state::State;
use super::{methods, notebook, publish};
use crate::check;
use crate::config::Configuration;

/// Longest time a check may take; a thread cannot be ended, so one that takes longer is left behind.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What a check says of one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckedFile {
    /// Findings of the rules.
    pub findings: Vec<Finding>,
    /// The `fit` calls: what is called, as written.
    pub fits: Vec<Range>,
    /// The models and their layers.
    pub outline: Outline,
}

/// Checks one text; tests put their own in its place.
pub type Checker = Arc<dyn Fn(&str, &Path) -> CheckedFile + Send + Sync>;

/// The check of the product.
pub fn checker(configuration: Arc<Configuration>) -> Checker {
    let latest = Latest::default();
    Arc::new(move |text, path| {
        let program = latest.read(text, path);
        let fits = program.fits.iter();
        let checked = CheckedFile {
            findings: if configuration.excludes(path) {
                Vec::new()
            } else {
                check::findings(path, text, &program, &configuration.of(path))
            },
            fits: fits
                .filter_map(|fit| program.calls.get(fit.call.0))
                .map(|call| call.callee_range)
                .collect(),
            outline: Outline::of(&program),
        };
        latest.keep(text, path, program);
        checked
    })
}

/// The document that was checked last, which is the one that is edited as a rule: after an edit only what it changed
/// has to be parsed.
#[derive(Default)]
struct Latest(Mutex<Option<(PathBuf, String, Program)>>);

impl Latest {
    fn read(&self, text: &str, path: &Path) -> Program {
        // Where a check was left behind with the lock, the text is read as if there were none before.
        let before = self.0.try_lock().ok().and_then(|mut latest| latest.take());
        match before {
            Some((of, before, program)) if of == path => program.parse_after(&before, text),
            _ => Program::parse(text),
        }
    }

    fn keep(&self, text: &str, path: &Path, program: Program) {
        if let Ok(mut latest) = self.0.try_lock() {
            *latest = Some((path.to_owned(), text.to_owned(), program));
        }
    }
}

/// Does once what the first check would spend its time on.
pub fn warm_up() {
    tokio::task::spawn_blocking(|| {
        let text =
            "import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\nmodel.compile(loss='mse')\n";
        let findings = rules::check(&Program::parse(text), text, Path::new("train.py"));
        tracing::debug!("warm: {} findings", findings.len());
    });
}

/// Checks all documents again: what counts in them changed.
pub fn again(state: &mut State) {
    let uris: Vec<Uri> = state.documents.keys().cloned().collect();
    for uri in uris {
        let revision = state.next_revision();
        if let Some(document) = state.documents.get_mut(&uri) {
            document.revision = revision;
            now(state, &uri);
        }
    }
    if state.client.pull && state.client.refresh_diagnostics {
        state.say(Message::RefreshDiagnostics);
    }
}

/// Checks a document, unless its text is checked already. One check of a document at a time.
pub fn now(state: &mut State, uri: &Uri) {
    if let Some(notebook) = notebook::of_cell(state, uri) {
        return notebook::now(state, &notebook);
    }
    let Some(document) = state.documents.get_mut(uri) else {
        return;
    };
    if document.current().is_some() || document.checking == Some(document.revision) {
        return;
    }
    if document.checking.is_some() {
        document.check_again = true;
        return;
    }
    let revision = document.revision;
    document.checking = Some(revision);
    let (text, path) = (Arc::clone(&document.text), document.path.clone());
    let (checker, events, uri) = (Arc::clone(&state.checker), state.events.clone(), uri.clone());
    tokio::spawn(async move {
        let check = tokio::task::spawn_blocking(move || checker(text.as_str(), &path));
        let checked = tokio::time::timeout(TIME_LIMIT, check).await;
        let _ = events.send(Event::Checked(uri, revision, checked.ok().and_then(Result::ok)));
    });
}

/// A check of that revision is over: publishes and answers when the text is still the same.
pub fn finished(state: &mut State, uri: &Uri, revision: u64, checked: Option<CheckedFile>) {
    let Some(document) = state.documents.get_mut(uri) else {
        return;
    };
    if document.checking != Some(revision) {
        return;
    }
    document.checking = None;
    let again = std::mem::take(&mut document.check_again);
    if document.revision != revision {
        if again || !document.waiting.is_empty() {
            now(state, uri);
        }
        return;
    }
    if checked.is_none() {
        tracing::error!(
            "the check of {} panicked or took too long; it counts as empty",
            uri.as_str()
        );
    }
    document.checked = Some((revision, checked.unwrap_or_default()));
    let waiting = std::mem::take(&mut document.waiting);
    state.tell_settings_errors();
    publish::document(state, uri);
    for question in waiting {
        methods::answer(state, uri, question);
    }
}
