//! Checks of open documents: parse and rules, in another thread, after a pause in typing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use finding::{Finding, Range};
use program::Program;
use tower_lsp::ls_types::Uri;

use super::event::Event;
use super::state::State;
use super::{methods, publish};

/// How long typing must pause before a text is checked.
pub const DEBOUNCE: Duration = Duration::from_millis(150);

/// What a check says of one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckedFile {
    /// Findings of the rules.
    pub findings: Vec<Finding>,
    /// The `fit` calls: what is called, as written.
    pub fits: Vec<Range>,
}

/// Checks one text; tests put their own in its place.
pub type Checker = Arc<dyn Fn(&str, &Path) -> CheckedFile + Send + Sync>;

/// The check of the product.
pub fn check(text: &str, path: &Path) -> CheckedFile {
    let program = Program::parse(text);
    CheckedFile {
        findings: rules::check(&program, text, path),
        fits: program
            .fits
            .iter()
            .filter_map(|fit| program.calls.get(fit.call.0))
            .map(|call| call.callee_range)
            .collect(),
    }
}

/// Checks a document when typing pauses.
pub fn after_pause(state: &State, uri: &Uri) {
    let Some(document) = state.documents.get(uri) else {
        return;
    };
    let due = Event::CheckDue(uri.clone(), document.revision);
    let events = state.events.clone();
    tokio::spawn(async move {
        tokio::time::sleep(DEBOUNCE).await;
        let _ = events.send(due);
    });
}

/// A pause after that revision is over.
pub fn due(state: &mut State, uri: &Uri, revision: u64) {
    let typed_on = state
        .documents
        .get(uri)
        .is_none_or(|document| document.revision != revision);
    if !typed_on {
        now(state, uri);
    }
}

/// Checks a document, unless its text is checked already. One check of a document at a time.
pub fn now(state: &mut State, uri: &Uri) {
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
        let checked = tokio::task::spawn_blocking(move || checker(text.as_str(), &path)).await;
        let _ = events.send(Event::Checked(uri, revision, checked.ok()));
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
        tracing::error!("the check of {} panicked; it counts as empty", uri.as_str());
    }
    document.checked = Some((revision, checked.unwrap_or_default()));
    let waiting = std::mem::take(&mut document.waiting);
    publish::document(state, uri);
    for question in waiting {
        methods::answer(state, uri, question);
    }
}
