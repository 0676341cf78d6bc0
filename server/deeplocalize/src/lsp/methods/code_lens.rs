//! `textDocument/codeLens`: "Localize faults" and "Check quickly" on each `fit` call.

use serde_json::json;
use tower_lsp::ls_types::{CodeLens, Command, Uri};

use super::super::places;
use super::super::state::State;
use super::execute_command::{CANCEL, CHECK, RUN};

/// The lenses of a document; a document without a file cannot be run and has none.
pub fn code_lens(state: &State, uri: &Uri) -> Option<Vec<CodeLens>> {
    let document = state.documents.get(uri)?;
    places::file_path(uri)?;
    let command = if state.runs.is_running(uri) {
        Command::new("Localizing… (cancel)".to_owned(), CANCEL.to_owned(), None)
    } else {
        Command::new(
            "Localize faults".to_owned(),
            RUN.to_owned(),
            Some(vec![json!(uri)]),
        )
    };
    let check = Command::new(
        "Check quickly".to_owned(),
        CHECK.to_owned(),
        Some(vec![json!(uri)]),
    );
    let lenses = document.current()?.fits.iter().flat_map(|&fit| {
        let range = document.text.range(fit, state.encoding);
        [&command, &check].map(|command| CodeLens {
            range,
            command: Some(command.clone()),
            data: None,
        })
    });
    Some(lenses.collect())
}
