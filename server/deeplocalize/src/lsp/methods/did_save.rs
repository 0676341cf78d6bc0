//! `textDocument/didSave`: checks without waiting for a pause.

use tower_lsp::ls_types::Uri;

use super::super::quick_check;
use super::super::state::State;

/// A document was saved.
pub fn did_save(state: &mut State, uri: &Uri) {
    quick_check::now(state, uri);
}
