//! Where the traces of runs are kept.

use std::path::{Path, PathBuf};

use trace::Trace;

use crate::report::ToolError;

/// The file for the latest trace of runs in an editor: in the folder that the system has for caches.
pub fn latest_trace() -> Option<PathBuf> {
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
    Some(caches.join("deeplocalize").join("latest.npz"))
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
