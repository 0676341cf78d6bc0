//! Waits for changes of files.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::config::FILE_NAMES;
use crate::report::ToolError;

/// How long files must be left alone before they are looked at: editors save in several steps.
const PAUSE: Duration = Duration::from_millis(50);

/// Changes of the files that a check reads.
#[derive(Debug)]
pub struct Changes {
    /// Kept for what it does: it ends when it is dropped.
    _watcher: RecommendedWatcher,
    changed: Receiver<()>,
}

impl Changes {
    /// Watches files and folders, and the settings files above them.
    pub fn of(paths: &[PathBuf]) -> Result<Self, ToolError> {
        let failed = |error: notify::Error| ToolError {
            code: "cannot-watch".into(),
            message: format!("cannot watch for changes: {error}"),
            path: None,
            hint: "name fewer files or folders, or check without --watch".into(),
        };
        let (sender, changed) = channel();
        let named: Vec<PathBuf> = paths.iter().filter(|path| path.is_file()).cloned().collect();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let matters = match &event {
                Ok(event) => {
                    !matches!(event.kind, EventKind::Access(_))
                        && event.paths.iter().any(|path| matters(path, &named))
                }
                // Something may have been missed.
                Err(_) => true,
            };
            if matters {
                // At the end nobody listens any more.
                let _ = sender.send(());
            }
        })
        .map_err(failed)?;
        for path in paths {
            if path.is_dir() {
                watcher.watch(path, RecursiveMode::Recursive).map_err(failed)?;
            } else if let Some(folder) = path.parent() {
                // The folder, because many editors replace a file instead of writing it.
                let folder = if folder.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    folder
                };
                watcher
                    .watch(folder, RecursiveMode::NonRecursive)
                    .map_err(failed)?;
            }
            let absolute = std::path::absolute(path).unwrap_or_default();
            let above = absolute.ancestors().skip(1);
            for folder in above.filter(|folder| FILE_NAMES.iter().any(|name| folder.join(name).exists())) {
                watcher
                    .watch(folder, RecursiveMode::NonRecursive)
                    .map_err(failed)?;
            }
        }
        Ok(Changes {
            _watcher: watcher,
            changed,
        })
    }

    /// Waits until something changed and has come to rest.
    pub fn wait(&self) {
        if self.changed.recv().is_ok() {
            while self.changed.recv_timeout(PAUSE).is_ok() {}
        }
    }
}

/// Whether a change of a path may change what a check says.
fn matters(path: &Path, named: &[PathBuf]) -> bool {
    let script = path
        .extension()
        .is_some_and(|extension| extension == "py" || extension == "ipynb");
    let settings = path
        .file_name()
        .is_some_and(|name| FILE_NAMES.iter().any(|known| name == *known));
    script || settings || named.iter().any(|named| path.ends_with(named))
}
