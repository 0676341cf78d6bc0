//! `workspace/didChangeConfiguration`. Settings of runs count from the next run on, those of
//! rules at once; trust is never among them.

use tower_lsp::ls_types::{LSPAny, MessageType};

use super::super::client::Message;
use super::super::quick_check;
use super::super::state::State;
use crate::config::Layer;
use crate::config::schema::OPTIONS;

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
    let shown = state.settings.inlay_hints;
    let mut problems = state.settings.merge(settings);
    if state.settings.inlay_hints != shown && state.client.refresh_hints {
        state.say(Message::RefreshHints);
    }
    let (changed, wrong) = rules(state, settings);
    problems.extend(wrong);
    for problem in problems {
        state.show(MessageType::WARNING, format!("DeepLocalize: {problem}."));
    }
    if changed {
        quick_check::again(state);
    }
}

/// Takes over which rules count; whether that changed, and what has no effect. What is absent stays as it was; null, which editors
/// send for a setting that was emptied, leaves the word to the settings files.
pub fn rules(state: &mut State, settings: &LSPAny) -> (bool, Vec<String>) {
    let mut rules = state.rules.clone();
    for option in OPTIONS {
        match settings.get(option.name) {
            None => {}
            Some(LSPAny::Null) => {
                rules.remove(option.name);
            }
            Some(value) => {
                rules.insert(option.name.to_owned(), value.clone());
            }
        }
    }
    if rules == state.rules {
        return (false, Vec::new());
    }
    state.rules = rules;
    let (layer, problems) = Layer::from_json(&LSPAny::Object(state.rules.clone()), &state.folders);
    state.configuration.overrule(layer);
    (true, problems)
}
