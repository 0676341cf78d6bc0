//! What becomes of the files that a script has written.

use session::Session;

use super::RunOptions;
use super::outcome::Outcome;
use crate::report::{ToolError, WrittenSummary};

/// Files a summary lists at most.
const LISTED: usize = 200;

/// Keeps the files for the user to look at, or writes them, when a run that was to write them came to its end.
pub(super) fn settle(
    session: &Session,
    options: &RunOptions,
    outcome: &Outcome,
    trained: bool,
) -> (Option<WrittenSummary>, Option<ToolError>) {
    let Some(written) = session.written() else {
        return (None, None);
    };
    let mut summary = WrittenSummary {
        mechanism: if written.without_overlay.is_some() {
            "python"
        } else {
            "overlay"
        },
        count: written.files.len(),
        bytes: written.files.iter().map(|file| file.bytes).sum(),
        files: written
            .files
            .iter()
            .take(LISTED)
            .map(|file| (file.path.clone(), file.bytes))
            .collect(),
        removed: written.removed.iter().take(LISTED).cloned().collect(),
        ..WrittenSummary::default()
    };
    let commit = options.write_files && *outcome == Outcome::Finished;
    let settled = if commit {
        session.commit_written().map(|()| None)
    } else {
        if trained && let Err(error) = session.commit_downloads() {
            tracing::warn!("{error}");
        }
        // Nothing to look at.
        if written.files.is_empty() {
            Ok(None)
        } else {
            session.keep_written(&options.script)
        }
    };
    match settled {
        Ok(folder) => {
            summary.folder = folder;
            summary.committed = commit;
            (Some(summary), None)
        }
        Err(error) => {
            let error = ToolError {
                code: "cannot-keep-files".to_owned(),
                message: error.to_string(),
                path: None,
                hint: "is there room in the temporary folder and where the script writes?".to_owned(),
            };
            (Some(summary), Some(error))
        }
    }
}
