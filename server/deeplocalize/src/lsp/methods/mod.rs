//! One file per method of the protocol.

pub mod code_action;
pub mod code_lens;
pub mod configuration;
pub mod diagnostic;
pub mod did_change;
pub mod did_close;
pub mod did_open;
pub mod did_save;
pub mod execute_command;
pub mod initialize;
pub mod notebook;
pub mod progress_cancel;
pub mod report;
pub mod watched_files;

use tower_lsp::ls_types::Uri;

use super::event::Question;
use super::quick_check;
use super::state::State;

/// Answers a request about a document as soon as its present text is checked.
pub fn ask(state: &mut State, uri: &Uri, question: Question) {
    match state.documents.get_mut(uri) {
        Some(document) if document.current().is_none() => {
            document.waiting.push(question);
            quick_check::now(state, uri);
        }
        _ => answer(state, uri, question),
    }
}

/// Answers a request about a document that is checked, or not open: then with nothing.
pub fn answer(state: &State, uri: &Uri, question: Question) {
    // Who was cancelled meanwhile waits for no answer.
    match question {
        Question::Diagnostics(previous, answer) => {
            let _ = answer.send(Ok(diagnostic::diagnostic(state, uri, previous)));
        }
        Question::Lenses(answer) => {
            let _ = answer.send(Ok(code_lens::code_lens(state, uri)));
        }
        Question::Actions(params, answer) => {
            let _ = answer.send(Ok(code_action::code_action(state, uri, &params)));
        }
    }
}
