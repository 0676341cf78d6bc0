//! The command `deeplocalize.check`: checks a document and says in one line what was found.

use std::str::FromStr;

use finding::Severity;
use serde_json::json;
use tower_lsp::jsonrpc::Error;
use tower_lsp::ls_types::{LSPAny, MessageType, Uri};

use super::super::event::{Answer, Question};
use super::super::publish;
use super::super::state::State;
use super::execute_command::CHECK;

/// Asks for the check of the document that the first argument names.
pub fn check(state: &mut State, arguments: &[LSPAny], answer: Answer<Option<LSPAny>>) {
    let uri = arguments
        .first()
        .and_then(LSPAny::as_str)
        .and_then(|uri| Uri::from_str(uri).ok());
    match uri {
        Some(uri) if state.documents.contains_key(&uri) => {
            super::ask(state, &uri, Question::Summary(answer));
        }
        _ => {
            let why = format!("`{CHECK}` needs the uri of an open document as its first argument.");
            let _ = answer.send(Err(Error::invalid_params(why)));
        }
    }
}

/// Number of findings in a document that is checked; the user is told.
pub fn summary(state: &State, uri: &Uri) -> LSPAny {
    let findings = state
        .documents
        .get(uri)
        .map(publish::from_text)
        .unwrap_or_default();
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let kinds = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Information, "remark"),
        (Severity::Hint, "hint"),
    ];
    let said: Vec<String> = kinds
        .into_iter()
        .filter_map(|(severity, noun)| match count(severity) {
            0 => None,
            1 => Some(format!("1 {noun}")),
            many => Some(format!("{many} {noun}s")),
        })
        .collect();
    let text = if said.is_empty() {
        "DeepLocalize: the quick check finds nothing.".to_owned()
    } else {
        format!("DeepLocalize: the quick check finds {}.", said.join(", "))
    };
    state.show(MessageType::INFO, text);
    json!({ "findings": findings.len() })
}
