//! `deeplocalize.report`: the last run as a page.

use std::io::Write as _;
use std::path::PathBuf;

use tower_lsp::ls_types::Uri;

use super::super::client::Message;
use super::super::state::State;
use crate::output::html;

/// Writes the page of the last run to a file that lives as long as the server; shows it too when asked to, where the
/// client can. The file, or why there is none.
pub fn report(state: &mut State, show: bool) -> Result<PathBuf, String> {
    let report = state
        .last_report
        .as_ref()
        .ok_or("There is no report yet: localize the faults of a script first.")?;
    let written = tempfile::Builder::new()
        .prefix("deeplocalize-report-")
        .suffix(".html")
        .tempfile()
        .and_then(|mut file| file.write_all(html::render(report).as_bytes()).map(|()| file));
    let file = written.map_err(|error| format!("The report could not be written: {error}."))?;
    let path = file.path().to_owned();
    state.report_file = Some(file.into_temp_path());
    if show
        && state.client.show_document
        && let Some(uri) = Uri::from_file_path(&path)
    {
        state.say(Message::ShowDocument(uri));
    }
    Ok(path)
}
