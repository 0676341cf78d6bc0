//! What becomes of files that a script writes.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What becomes of files that a script writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writes {
    /// They are kept apart: the script sees them, the user's own files stay as they are.
    #[default]
    Apart,
    /// The same by the means of Python alone.
    ApartInPython,
    /// They are written.
    Real,
}

/// A file that a script has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    /// Where the script believes it to be.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// What a script has written while that was kept apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The files, without caches.
    pub files: Vec<WrittenFile>,
    /// Files and folders of the user's that the script has removed, as far as it can see.
    pub removed: Vec<PathBuf>,
    /// Why Python alone kept them apart; `None` when overlays did.
    pub without_overlay: Option<String>,
}
