//! One file per method of the protocol.

pub mod check;
pub mod code_action;
pub mod code_lens;
pub mod configuration;
pub mod diagnostic;
pub mod did_change;
pub mod did_close;
pub mod did_open;
pub mod did_save;
pub mod document_symbol;
pub mod execute_command;
pub mod hover;
pub mod initialize;
pub mod inlay_hint;
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
        Question::Hints(range, answer) => {
            let _ = answer.send(Ok(inlay_hint::inlay_hint(state, uri, range)));
        }
        Question::Hover(position, answer) => {
            let _ = answer.send(Ok(hover::hover(state, uri, position)));
        }
        Question::Symbols(answer) => {
            let _ = answer.send(Ok(document_symbol::document_symbol(state, uri)));
        }
        Question::Summary(answer) => {
            let _ = answer.send(Ok(Some(check::summary(state, uri))));
        }
    }
}
