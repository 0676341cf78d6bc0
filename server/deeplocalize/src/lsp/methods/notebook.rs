//! `notebookDocument/didOpen`, `didChange`, `didSave` and `didClose`.

use std::path::PathBuf;

use tower_lsp::ls_types::{
    DidChangeNotebookDocumentParams, DidCloseNotebookDocumentParams, DidOpenNotebookDocumentParams,
    NotebookCell, TextDocumentItem, Uri,
};

use super::super::document::Document;
use super::super::notebook::{self, Notebook};
use super::super::places;
use super::super::state::State;
use super::did_close::did_close;

/// A notebook was opened: its cells become documents, and are checked together.
pub fn did_open(state: &mut State, params: DidOpenNotebookDocumentParams) {
    for cell in params.cell_text_documents {
        open_cell(state, cell);
    }
    let uri = params.notebook_document.uri;
    let cells = code(params.notebook_document.cells);
    let path = places::path_of(&uri);
    state.notebooks.insert(uri.clone(), Notebook::new(path, cells));
    if !state.client.watched_files {
        state.configuration.forget();
    }
    notebook::now(state, &uri);
}

/// Cells were added, removed, moved or edited.
pub fn did_change(state: &mut State, params: DidChangeNotebookDocumentParams) {
    let uri = params.notebook_document.uri;
    let Some(change) = params.change.cells else {
        return;
    };
    if let Some(structure) = change.structure {
        for cell in structure.did_open.unwrap_or_default() {
            open_cell(state, cell);
        }
        if let Some(notebook) = state.notebooks.get_mut(&uri) {
            let count = notebook.cells.len();
            let start = (structure.array.start as usize).min(count);
            let end = start
                .saturating_add(structure.array.delete_count as usize)
                .min(count);
            let new = code(structure.array.cells.unwrap_or_default());
            notebook.cells.splice(start..end, new);
        }
        for cell in structure.did_close.unwrap_or_default() {
            did_close(state, &cell.uri);
        }
    }
    for edited in change.text_content.unwrap_or_default() {
        if let Some(document) = state.documents.get_mut(&edited.document.uri) {
            for change in edited.changes {
                document.apply(change, state.encoding);
            }
            document.version = edited.document.version;
        }
    }
    notebook::changed(state, &uri);
}

/// A notebook was saved.
pub fn did_save(state: &mut State, uri: &Uri) {
    if !state.client.watched_files {
        state.configuration.forget();
    }
    notebook::now(state, uri);
}

/// A notebook was closed: takes back everything said about its cells.
pub fn did_close_notebook(state: &mut State, params: DidCloseNotebookDocumentParams) {
    state.notebooks.remove(&params.notebook_document.uri);
    for cell in params.cell_text_documents {
        did_close(state, &cell.uri);
    }
}

fn open_cell(state: &mut State, item: TextDocumentItem) {
    if item.language_id != "python" {
        return;
    }
    let revision = state.next_revision();
    let mut document = Document::new(&item.uri, item.version, revision, item.text);
    // Cells of one notebook may differ only in what a path leaves out of the uri.
    document.path = PathBuf::from(item.uri.as_str());
    state.documents.insert(item.uri, document);
}

/// The cells in order. Clients count only those that were asked for (Python) in their changes, but not all clients do: what
/// is not Python is never opened, and cells that are not open are passed over in a check.
fn code(cells: Vec<NotebookCell>) -> Vec<Uri> {
    cells.into_iter().map(|cell| cell.document).collect()
}
