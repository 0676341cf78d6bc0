//! `textDocument/didClose`: takes back everything said about the document.

use tower_lsp::ls_types::Uri;

use super::super::client::Message;
use super::super::state::State;

/// A document was closed. What runs found in it goes too: the editor may have thrown away the text it referred to.
pub fn did_close(state: &mut State, uri: &Uri) {
    let Some(document) = state.documents.remove(uri) else {
        return;
    };
    state.results.forget(&document.path);
    if !state.client.pull || state.pushed.contains(uri) {
        state.say(Message::Publish(uri.clone(), Vec::new(), None));
    }
    state.pushed.remove(uri);
    for question in document.waiting {
        super::answer(state, uri, question);
    }
}
