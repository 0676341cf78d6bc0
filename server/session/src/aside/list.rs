//! What lies in the scratch folders.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::mirror;
use crate::written::{Written, WrittenFile};

/// Folders whose contents nobody asks for.
const NOISE: [&str; 4] = ["__pycache__", ".cache", ".keras", "tensorflow_datasets"];

/// How the names of files begin that frameworks write into the temporary folder for themselves.
const OF_FRAMEWORKS: [&str; 3] = ["__autograph_generated_file", "torchinductor_", "pymp-"];

/// Lists what lies below the scratch folders.
pub(super) fn list(scratches: &[PathBuf]) -> Written {
    let mut written = Written::default();
    for scratch in scratches {
        let root = scratch.join("files");
        walk(&root, &mut |path, metadata| {
            let Ok(relative) = path.strip_prefix(&root) else {
                return;
            };
            let shown = Path::new("/").join(relative);
            if shown.components().any(|part| is_noise(part.as_os_str())) {
                return;
            }
            if is_whiteout(metadata) {
                written.removed.push(shown);
            } else {
                written.files.push(WrittenFile {
                    path: shown,
                    bytes: metadata.len(),
                });
            }
        });
        // What is there again was written.
        let gone = |path: &PathBuf| fs::symlink_metadata(mirror(scratch, path)).is_err();
        written.removed.extend(removed(scratch).into_iter().filter(gone));
    }
    written.files.sort_by(|a, b| a.path.cmp(&b.path));
    written.removed.sort();
    written
}

/// Whether a file or folder of this name is nothing that the script meant to write.
fn is_noise(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    NOISE.iter().any(|noise| name == *noise) || OF_FRAMEWORKS.iter().any(|start| name.starts_with(start))
}

/// What the tracer says was removed, without marks of an overlay.
pub(super) fn removed(scratch: &Path) -> Vec<PathBuf> {
    let paths = fs::read(scratch.join("removed")).unwrap_or_default();
    paths
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty())
        .map(|path| PathBuf::from(OsStr::from_bytes(path)))
        .collect()
}

/// Bytes on disk below the scratch folders.
pub(crate) fn size(scratches: &[PathBuf]) -> u64 {
    let mut bytes = 0;
    for scratch in scratches {
        walk(&scratch.join("files"), &mut |_, metadata| {
            bytes += metadata.blocks() * 512;
        });
    }
    bytes
}

/// Visits everything but folders; what cannot be read is passed over.
fn walk(folder: &Path, visit: &mut dyn FnMut(&Path, &fs::Metadata)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => walk(&path, visit),
            Ok(metadata) => visit(&path, &metadata),
            Err(_) => {}
        }
    }
}

/// How an overlay marks a file of the directory below it as removed.
pub(super) fn is_whiteout(metadata: &fs::Metadata) -> bool {
    metadata.file_type().is_char_device() && metadata.rdev() == 0
}
