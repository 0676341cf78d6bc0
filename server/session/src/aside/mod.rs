//! Keeps what a script writes apart from the user's files.
//!
//! In a scratch folder, `files/` mirrors the absolute paths of what was written. Where the system allows it, overlay
//! mounts put it there ([`namespace`]); elsewhere the tracer redirects the calls of Python that write (`files.py`).

mod commit;
mod list;
#[cfg(target_os = "linux")]
mod namespace;
#[cfg(target_os = "linux")]
mod plan;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub(crate) use list::size;

use crate::tracer::{FOLDER_PREFIX, real_path};
use crate::written::{Writes, Written};

/// Environment variable with the folder in which the tracer keeps what is written, when there is no overlay.
pub(crate) const FILES: &str = "_DEEPLOCALIZE_FILES";
/// Folders in the home folder for what can be had again.
const CACHES: [&str; 3] = [".cache", ".keras", "tensorflow_datasets"];
/// How the names of folders begin in which the files of a run are kept after it.
const KEPT_PREFIX: &str = "deeplocalize-files-";

/// The scratch folders of a run. The first lies in the folder of the tracer and goes with it.
#[derive(Debug)]
pub(crate) struct Aside {
    first: PathBuf,
    second: Option<TempDir>,
}

impl Aside {
    /// Makes the scratch folders.
    pub(crate) fn create(tracer: &Path) -> io::Result<Aside> {
        let first = tracer.join("written");
        fs::create_dir(&first)?;
        let first = fs::canonicalize(first)?;
        // For what is written below the folder that the first one lies in.
        let base = first.ancestors().nth(2).map_or_else(PathBuf::new, Path::to_owned);
        let second = ["/var/tmp", "/tmp"]
            .iter()
            .map(|folder| real_path(Path::new(folder)))
            .filter(|folder| !folder.starts_with(&base) && !base.starts_with(folder))
            .find_map(|folder| {
                tempfile::Builder::new()
                    .prefix(FOLDER_PREFIX)
                    .tempdir_in(folder)
                    .ok()
            });
        Ok(Aside { first, second })
    }

    /// Both of them.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let second = self.second.as_ref().map(|folder| folder.path().to_owned());
        [self.first.clone()].into_iter().chain(second).collect()
    }

    /// What the script has written, and how that was kept apart.
    pub(crate) fn written(&self) -> Written {
        list::list(&self.folders())
    }

    /// Moves the files to where the user can look at them, in place of those of the last run of this script.
    pub(crate) fn keep(&self, script: &Path) -> io::Result<PathBuf> {
        let name = kept_name(script);
        let temporary = std::env::temp_dir();
        let folder = tempfile::Builder::new().prefix(&name).tempdir_in(&temporary)?;
        for scratch in self.folders() {
            commit::merge(&scratch.join("files"), folder.path())?;
        }
        let folder = folder.keep();
        for entry in fs::read_dir(temporary)?.flatten() {
            let path = entry.path();
            let ours = entry.file_name().to_string_lossy().starts_with(&name) && path != folder;
            if ours && commit::is_own(&path) {
                commit::remove(&path);
            }
        }
        Ok(folder)
    }

    /// Does to the user's files what the script meant to do to them.
    pub(crate) fn commit(&self) -> io::Result<()> {
        self.folders().iter().try_for_each(|scratch| {
            list::removed(scratch)
                .iter()
                .try_for_each(|path| commit::remove_real(path))?;
            commit::commit(&scratch.join("files"), Path::new("/"))
        })
    }
}

impl Aside {
    /// Writes new files in the folders for caches; nothing that is there is changed.
    pub(crate) fn commit_downloads(&self) -> io::Result<()> {
        let Some(home) = std::env::var_os("HOME") else {
            return Ok(());
        };
        let home = real_path(Path::new(&home));
        for scratch in self.folders() {
            for name in CACHES {
                let cache = home.join(name);
                commit::add(&mirror(&scratch, &cache), &cache)?;
            }
        }
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.folders().iter().for_each(|folder| commit::remove(folder));
    }
}

/// Removes a scratch folder, whose overlay may have left folders that cannot be entered.
pub(crate) fn remove(folder: &Path) {
    commit::remove(folder);
}

/// The same for every run of the same script of the same user.
fn kept_name(script: &Path) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};

    let mut hasher = DefaultHasher::new();
    (real_path(script), nix::unistd::getuid().as_raw()).hash(&mut hasher);
    format!("{KEPT_PREFIX}{:016x}-", hasher.finish())
}

/// Keeps apart what this process, about to become the script, will write. The environment variables that the script
/// needs for that, and why it is not by overlays if it is not.
pub(crate) fn enter(
    scratches: &[PathBuf],
    writes: Writes,
    essential: &[PathBuf],
) -> (Option<PathBuf>, Option<String>) {
    let Some(first) = scratches.first() else {
        return (None, None);
    };
    let refused = match writes {
        Writes::Real => return (None, None),
        Writes::ApartInPython => "as asked for".to_owned(),
        #[cfg(target_os = "linux")]
        Writes::Apart => match namespace::enter(scratches, essential) {
            Ok(()) => return (None, None),
            Err(reason) => reason,
        },
        #[cfg(not(target_os = "linux"))]
        Writes::Apart => {
            let _ = essential;
            "only Linux has overlays".to_owned()
        }
    };
    (Some(first.join("files")), Some(refused))
}

/// Where below a scratch folder the files of `directory` are kept.
fn mirror(scratch: &Path, directory: &Path) -> PathBuf {
    let relative = directory.as_os_str().as_bytes();
    let relative = relative.strip_prefix(b"/").unwrap_or(relative);
    scratch.join("files").join(Path::new(OsStr::from_bytes(relative)))
}
