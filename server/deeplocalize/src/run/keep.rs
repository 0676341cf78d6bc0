//! Where the traces and logs of runs are kept.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use trace::Trace;

use crate::report::ToolError;

/// Logs that are kept; the next run removes older ones.
const LOGS: usize = 20;
const LOG_PREFIX: &str = "run-";
const LOG_SUFFIX: &str = ".log";

/// The file for the latest trace of runs in an editor: in the folder that the system has for caches.
pub fn latest_trace() -> Option<PathBuf> {
    Some(caches()?.join("latest.npz"))
}

/// The folder that the system has for our caches.
fn caches() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let home = || absolute("HOME");
    let caches = if cfg!(target_os = "macos") {
        home()?.join("Library/Caches")
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")))?
    };
    Some(caches.join("deeplocalize"))
}

/// An empty file for what a script prints, beside those of the last runs; in the temporary folder where there is no other.
pub(super) fn new_log() -> io::Result<PathBuf> {
    caches()
        .and_then(|caches| log_in(&caches.join("logs")).ok())
        .map_or_else(|| log_in(&std::env::temp_dir()), Ok)
}

fn log_in(folder: &Path) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let file = tempfile::Builder::new()
        .prefix(LOG_PREFIX)
        .suffix(LOG_SUFFIX)
        .tempfile_in(folder)?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    prune(folder);
    Ok(path)
}

/// Removes all but the latest logs. One that a run still writes to goes on without a name.
fn prune(folder: &Path) {
    if folder == std::env::temp_dir() {
        return;
    }
    let mut logs: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with(LOG_PREFIX) && name.ends_with(LOG_SUFFIX)
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    logs.sort();
    let old = logs.len().saturating_sub(LOGS);
    for (_, path) in logs.into_iter().take(old) {
        let _ = std::fs::remove_file(path);
    }
}

/// Writes the trace of a run.
pub(super) fn write(trace: &Trace, path: &Path) -> Result<(), ToolError> {
    if let Some(folder) = path.parent() {
        // Should this fail, so does what follows.
        let _ = std::fs::create_dir_all(folder);
    }
    trace.write(path).map_err(|error| ToolError {
        code: "cannot-write-trace".to_owned(),
        message: format!("the trace cannot be written: {error}"),
        path: Some(path.to_owned()),
        hint: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_do_not_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        let mut last = PathBuf::new();
        for _ in 0..LOGS + 5 {
            last = log_in(&logs).unwrap();
        }
        std::fs::write(logs.join("mine.txt"), "").unwrap();
        prune(&logs);
        assert_eq!(std::fs::read_dir(&logs).unwrap().count(), LOGS + 1);
        assert!(last.exists() && logs.join("mine.txt").exists());
    }
}
