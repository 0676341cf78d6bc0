//! `workspace/executeCommand`: start and end of runs.

use std::path::Path;
use std::str::FromStr;

use serde_json::json;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::{ExecuteCommandParams, LSPAny, Uri};

use super::super::run;
use super::super::state::State;
use super::report;
use crate::run::{RunOptions, TryFixes, latest_trace};

/// Runs a script: `[uri, settings?]` → `{"run": number}`, at once.
pub const RUN: &str = "deeplocalize.run";
/// Runs a script and tries changes that may mend it: `[uri, settings?]` → `{"run": number}`, at once.
pub const TRY_FIXES: &str = "deeplocalize.tryFixes";
/// Cancels the run → `{"cancelled": bool}`.
pub const CANCEL: &str = "deeplocalize.cancel";
/// Checks an open document: `[uri]` → `{"findings": number}`.
pub const CHECK: &str = "deeplocalize.check";
/// Writes a page about the last run, `[{"show": bool}?]` → `{"path": "…"}`.
pub const REPORT: &str = "deeplocalize.report";
/// Removes what runs found.
pub const CLEAR: &str = "deeplocalize.clear";
/// All commands.
pub const COMMANDS: [&str; 6] = [RUN, TRY_FIXES, CANCEL, CLEAR, CHECK, REPORT];

/// `RequestFailed` of the protocol, which the library does not name.
const REQUEST_FAILED: i64 = -32803;

/// Executes a command.
pub fn execute_command(state: &mut State, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
    match params.command.as_str() {
        RUN => start(state, &params.arguments, None).map(|generation| Some(json!({ "run": generation }))),
        TRY_FIXES => start(state, &params.arguments, Some(TryFixes::Always))
            .map(|generation| Some(json!({ "run": generation }))),
        CANCEL => Ok(Some(json!({ "cancelled": run::cancel(state) }))),
        CLEAR => {
            run::clear(state);
            Ok(None)
        }
        REPORT => {
            let show = params
                .arguments
                .first()
                .and_then(|options| options.get("show")?.as_bool());
            let path = report::report(state, show.unwrap_or_default()).map_err(failed)?;
            Ok(Some(json!({ "path": path })))
        }
        other => Err(Error::invalid_params(format!(
            "DeepLocalize has no command `{other}`."
        ))),
    }
}

fn start(state: &mut State, arguments: &[LSPAny], try_fixes: Option<TryFixes>) -> Result<u64> {
    if !state.trusted {
        let why = "Localizing faults runs the script, and this workspace is not trusted: trust it first.";
        return Err(failed(why.to_owned()));
    }
    let uri = arguments
        .first()
        .and_then(LSPAny::as_str)
        .and_then(|uri| Uri::from_str(uri).ok())
        .ok_or_else(|| {
            Error::invalid_params(format!(
                "`{RUN}` needs the uri of the script as its first argument."
            ))
        })?;
    let script = run::script(&uri).map_err(failed)?;
    let mut settings = state.settings.clone();
    if let Some(given) = arguments.get(1) {
        // Unlike settings of the editor these were meant for this very run, so a mistake is no detail.
        if let Some(problem) = settings.merge(given).first() {
            return Err(Error::invalid_params(format!("{problem}.")));
        }
    }
    let options = RunOptions {
        directory: Some(directory(state, &script)),
        script,
        arguments: Vec::new(),
        python: settings.python,
        max_batches: settings.max_batches,
        max_seconds: settings.max_seconds,
        startup_seconds: settings.startup_seconds,
        limits: settings.limits,
        detector: settings.detector,
        mechanism: settings.mechanism,
        trace: latest_trace(),
        try_fixes: try_fixes.unwrap_or(settings.try_fixes),
        try_seconds: settings.try_seconds,
        ..RunOptions::default()
    };
    Ok(run::request(state, uri, options))
}

/// Where editors start a script: in the folder of the workspace that it is in, else beside it.
fn directory(state: &State, script: &Path) -> std::path::PathBuf {
    state
        .folders
        .iter()
        .filter(|folder| script.starts_with(folder))
        .max_by_key(|folder| folder.components().count())
        .map(std::path::PathBuf::as_path)
        .or_else(|| script.parent())
        .unwrap_or_else(|| Path::new("/"))
        .to_owned()
}

fn failed(message: String) -> Error {
    Error {
        code: ErrorCode::ServerError(REQUEST_FAILED),
        message: message.into(),
        data: None,
    }
}
