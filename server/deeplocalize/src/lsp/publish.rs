//! Which findings of a document the client gets, and by which way. Findings of the text and of runs are kept apart
//! and meet here.

use tower_lsp::ls_types::{Diagnostic, Uri};

use finding::Finding;

use super::client::Message;
use super::document::Document;
use super::places;
use super::state::State;
use super::to_lsp;

/// Everything known about a document whose text has been checked: findings of the text, then what only a run saw.
pub fn findings<'a>(state: &'a State, document: &'a Document) -> Vec<&'a Finding> {
    let mut all = from_text(document);
    add_from_run(&mut all, state, document);
    all
}

/// Findings of the present text.
pub fn from_text(document: &Document) -> Vec<&Finding> {
    document
        .current()
        .map(|file| file.findings.iter().collect())
        .unwrap_or_default()
}

/// A run repeats what the text alone tells.
fn add_from_run<'a>(all: &mut Vec<&'a Finding>, state: &'a State, document: &'a Document) {
    for finding in state.results.in_file(&document.path) {
        if !all
            .iter()
            .any(|known| known.code == finding.code && known.range == finding.range)
        {
            all.push(finding);
        }
    }
}

/// The findings as diagnostics.
pub fn diagnostics<'a>(state: &State, findings: impl IntoIterator<Item = &'a Finding>) -> Vec<Diagnostic> {
    findings
        .into_iter()
        .filter_map(|finding| to_lsp::diagnostic(state, finding))
        .collect()
}

/// Pushes what a document's client does not pull.
pub fn document(state: &mut State, uri: &Uri) {
    let Some(document) = state.documents.get(uri) else {
        return closed_file(state, uri);
    };
    if !state.client.pull && document.current().is_none() {
        // The check of the present text is on its way and will publish.
        return;
    }
    let mut findings = if state.client.pull {
        Vec::new()
    } else {
        from_text(document)
    };
    if !state.client.pulls_run_findings() {
        add_from_run(&mut findings, state, document);
    }
    let (diagnostics, version) = (diagnostics(state, findings), document.version);
    if !state.client.pull || !diagnostics.is_empty() || state.pushed.contains(uri) {
        push(state, uri, diagnostics, Some(version));
    }
}

/// Findings of a run in a file that is not open.
fn closed_file(state: &mut State, uri: &Uri) {
    let path = places::path_of(uri);
    let diagnostics = diagnostics(state, state.results.in_file(&path));
    if !diagnostics.is_empty() || state.pushed.contains(uri) {
        push(state, uri, diagnostics, None);
    }
}

fn push(state: &mut State, uri: &Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) {
    if diagnostics.is_empty() {
        state.pushed.remove(uri);
    } else {
        state.pushed.insert(uri.clone());
    }
    state.say(Message::Publish(uri.clone(), diagnostics, version));
}

/// Findings of runs changed: shows them in the files concerned, those that had some before included.
pub fn run_findings(state: &mut State, before: impl IntoIterator<Item = std::path::PathBuf>) {
    let mut paths = state.results.paths();
    paths.extend(before);
    for path in paths {
        match state.uri_of(&path) {
            Some(uri) => document(state, &uri),
            None => tracing::warn!("a finding in {} has no place in the editor", path.display()),
        }
    }
    if state.client.pulls_run_findings() {
        state.say(Message::RefreshDiagnostics);
    }
}
