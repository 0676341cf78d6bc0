//! `textDocument/didChange`: applies the changes in their order and checks when typing pauses.

use std::sync::Arc;

use tower_lsp::ls_types::DidChangeTextDocumentParams;

use super::super::quick_check;
use super::super::state::State;

/// A document's text changed.
pub fn did_change(state: &mut State, params: DidChangeTextDocumentParams) {
    let revision = state.next_revision();
    let uri = params.text_document.uri;
    let Some(document) = state.documents.get_mut(&uri) else {
        tracing::warn!("a change of {}, which is not open", uri.as_str());
        return;
    };
    for change in params.content_changes {
        let before = Arc::clone(&document.text);
        let replacement = document.apply(change, state.encoding);
        if state.results.text(&document.path).is_some() {
            state
                .results
                .follow(&document.path, &before, &replacement, &document.text);
        }
    }
    document.version = params.text_document.version;
    document.revision = revision;
    quick_check::after_pause(state, &uri);
}
