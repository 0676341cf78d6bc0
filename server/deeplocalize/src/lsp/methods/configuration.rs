//! `workspace/didChangeConfiguration`. Settings count from the next run on; trust is never among them.

use tower_lsp::ls_types::{LSPAny, MessageType};

use super::super::client::Message;
use super::super::state::State;

/// The client's settings changed: asks for them where it can be asked, else takes what it sent.
pub fn did_change_configuration(state: &mut State, sent: &LSPAny) {
    if state.client.configuration {
        state.say(Message::AskSettings);
    } else if let Some(ours) = sent.get("deeplocalize") {
        settings(state, ours);
    }
}

/// Takes over settings and says which have no effect.
pub fn settings(state: &mut State, settings: &LSPAny) {
    for problem in state.settings.merge(settings) {
        state.show(MessageType::WARNING, format!("DeepLocalize: {problem}."));
    }
}
