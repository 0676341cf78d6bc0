//! Moves what was kept apart.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::list::is_whiteout;

/// Does to the files below `target` what was done to their mirrors below `source`.
pub(super) fn commit(source: &Path, target: &Path) -> io::Result<()> {
    each(source, target, true, &mut |path, metadata, place| {
        if is_whiteout(metadata) {
            return remove_real(place);
        }
        copy(path, metadata, place)
    })
}

/// Copies the files that are not below `target` yet.
pub(super) fn add(source: &Path, target: &Path) -> io::Result<()> {
    each(source, target, false, &mut |path, metadata, place| {
        if is_whiteout(metadata) || fs::symlink_metadata(place).is_ok() {
            return Ok(());
        }
        copy(path, metadata, place)
    })
}

/// Removes a file or a folder with everything in it, if it is there.
pub(super) fn remove_real(place: &Path) -> io::Result<()> {
    match fs::symlink_metadata(place) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(place),
        Ok(_) => fs::remove_file(place),
        Err(_) => Ok(()),
    }
}

/// Moves the files into a folder for the user to look at, without the marks of what was removed.
pub(super) fn merge(source: &Path, target: &Path) -> io::Result<()> {
    each(source, target, false, &mut |path, metadata, place| {
        if is_whiteout(metadata) || fs::rename(path, place).is_ok() {
            return Ok(());
        }
        // On another file system.
        copy(path, metadata, place)
    })
}

/// Calls for everything but folders, with the place it belongs to; folders are made when something is in them, or when
/// `all`.
fn each(
    source: &Path,
    target: &Path,
    all: bool,
    act: &mut dyn FnMut(&Path, &fs::Metadata, &Path) -> io::Result<()>,
) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(source) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let (metadata, path, place) = (entry.metadata()?, entry.path(), target.join(entry.file_name()));
        if metadata.is_dir() {
            if all {
                make_folder(&path, &metadata, &place)?;
            }
            each(&path, &place, all, act)?;
        } else {
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            act(&path, &metadata, &place)?;
        }
    }
    Ok(())
}

fn make_folder(path: &Path, metadata: &fs::Metadata, place: &Path) -> io::Result<()> {
    let existed = fs::symlink_metadata(place);
    if let Ok(found) = &existed
        && (!found.is_dir() || is_opaque(path))
    {
        // The script has removed what was there and made a new folder of that name.
        if found.is_dir() {
            fs::remove_dir_all(place)?
        } else {
            fs::remove_file(place)?
        }
    }
    match fs::create_dir(place) {
        Ok(()) => fs::set_permissions(place, fs::Permissions::from_mode(metadata.mode() & 0o7777)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// In one step, so that nobody ever sees half a file.
fn copy(path: &Path, metadata: &fs::Metadata, place: &Path) -> io::Result<()> {
    if metadata.is_symlink() {
        let _ = fs::remove_file(place);
        return symlink(fs::read_link(path)?, place);
    }
    if !metadata.is_file() {
        return Ok(()); // pipes and sockets end with the script
    }
    let folder = place.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(&mut fs::File::open(path)?, &mut file)?;
    fs::set_permissions(file.path(), fs::Permissions::from_mode(metadata.mode() & 0o7777))?;
    file.persist(place).map(drop).map_err(|error| error.error)
}

/// Whether an overlay shows nothing of the folder below this one.
#[cfg(target_os = "linux")]
fn is_opaque(path: &Path) -> bool {
    ["user.overlay.opaque", "trusted.overlay.opaque"]
        .iter()
        .any(|name| {
            let mut value = [0_u8; 8];
            matches!(rustix::fs::lgetxattr(path, *name, &mut value[..]), Ok(1)) && value[0] == b'y'
        })
}

#[cfg(not(target_os = "linux"))]
fn is_opaque(_: &Path) -> bool {
    false
}

/// Whether this is a folder of the user's own, not a link somebody has laid.
pub(super) fn is_own(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|found| found.is_dir() && found.uid() == nix::unistd::getuid().as_raw())
}

/// Removes a folder with everything in it, as far as that can be done.
pub(super) fn remove(folder: &Path) {
    if fs::remove_dir_all(folder).is_ok() || !folder.exists() {
        return;
    }
    open_up(folder);
    if let Err(error) = fs::remove_dir_all(folder) {
        tracing::warn!("cannot remove {}: {error}", folder.display());
    }
}

/// Overlays leave folders that not even their owner may list.
fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
