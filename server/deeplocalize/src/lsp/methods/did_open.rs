//! `textDocument/didOpen`: takes the text and checks it at once.

use tower_lsp::ls_types::TextDocumentItem;

use super::super::document::Document;
use super::super::quick_check;
use super::super::state::State;

/// A document was opened.
pub fn did_open(state: &mut State, item: TextDocumentItem) {
    let revision = state.next_revision();
    let document = Document::new(&item.uri, item.version, revision, item.text);
    state.results.adopt(&document.path, &document.text);
    state.documents.insert(item.uri.clone(), document);
    quick_check::now(state, &item.uri);
}
