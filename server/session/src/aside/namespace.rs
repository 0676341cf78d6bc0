//! Overlays in a mount namespace of the script's own: whoever is in it sees what the script has written, wherever it
//! goes and whatever program does it, and nobody outside does.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;
use nix::unistd::{getegid, geteuid};

use super::mirror;
use super::plan::{Covered, mount_points, plan};

/// Moves this process, which must have one thread only, into a namespace in which what is written goes to the
/// scratch folders. On failure it is where it was, for all it can see, and hears why.
pub(super) fn enter(scratches: &[PathBuf], essential: &[PathBuf]) -> Result<(), String> {
    let mountinfo =
        fs::read("/proc/self/mountinfo").map_err(|error| format!("cannot read the mounts: {error}"))?;
    let covered = plan(&mount_points(&mountinfo), scratches)?;
    let inside = |path: &Path| covered.iter().any(|covered| path.starts_with(&covered.directory));
    if let Some(path) = essential.iter().find(|path| !inside(path)) {
        return Err(format!("{} cannot be covered", path.display()));
    }
    for covered in &covered {
        prepare(covered)
            .map_err(|error| format!("cannot prepare {}: {error}", covered.directory.display()))?;
    }
    if !geteuid().is_root() {
        essential.iter().try_for_each(|folder| expect_own(folder))?;
    }
    let own_users = new_namespace()?;
    if own_users {
        essential
            .iter()
            .try_for_each(|folder| make_way(folder, &covered))
            .map_err(|error| format!("cannot prepare an overlay: {error}"))?;
    }
    let mut mounted = Vec::new();
    match lay(&covered, own_users, essential, &mut mounted) {
        Ok(()) => Ok(()),
        Err(reason) => {
            for directory in mounted.iter().rev() {
                let _ = umount2(*directory, MntFlags::MNT_DETACH);
            }
            Err(reason)
        }
    }
}

/// Fails when something near the top of this folder belongs to somebody else or to another group: who is not root has
/// only themselves in a namespace of their own, and the kernel then refuses to change such a file.
fn expect_own(folder: &Path) -> Result<(), String> {
    const LOOKED_AT: usize = 5000;
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let mut folders = VecDeque::from([folder.to_owned()]);
    let mut seen = 0;
    while let Some(folder) = folders.pop_front() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            seen += 1;
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if seen > LOOKED_AT {
                return Ok(());
            }
            if (metadata.uid(), metadata.gid()) != (user, group) {
                return Err(format!(
                    "{} belongs to another user or group",
                    entry.path().display()
                ));
            }
            if metadata.is_dir() {
                folders.push_back(entry.path());
            }
        }
    }
    Ok(())
}

/// Makes the folders above this one in the overlay, for the same reason: they may be somebody else's.
fn make_way(folder: &Path, covered: &[Covered]) -> std::io::Result<()> {
    let Some(covered) = covered
        .iter()
        .find(|covered| folder.starts_with(&covered.directory))
    else {
        return Ok(());
    };
    let mut above: Vec<_> = folder
        .ancestors()
        .take_while(|folder| *folder != covered.directory)
        .collect();
    above.reverse();
    for folder in above {
        let made = mirror(&covered.scratch, folder);
        if !made.exists() {
            fs::create_dir(&made)?;
            fs::set_permissions(
                &made,
                fs::Permissions::from_mode(fs::metadata(folder)?.mode() & 0o7777),
            )?;
        }
    }
    Ok(())
}

/// A new mount namespace. Whether it took new users too, which is how one who is not root gets one.
fn new_namespace() -> Result<bool, String> {
    if geteuid().is_root() && unshare(CloneFlags::CLONE_NEWNS).is_ok() {
        return Ok(false);
    }
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)
        .map_err(|error| format!("the system refuses a namespace: {error}"))?;
    // Everybody keeps their number; membership in further groups stays in force.
    let maps = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{user} {user} 1")),
        ("gid_map", format!("{group} {group} 1")),
    ];
    for (name, text) in maps {
        fs::write(format!("/proc/self/{name}"), text)
            .map_err(|error| format!("the system refuses a namespace: {name}: {error}"))?;
    }
    Ok(true)
}

/// The folders of an overlay. Its root looks as the upper one does, so that takes after the directory.
fn prepare(covered: &Covered) -> std::io::Result<()> {
    let upper = mirror(&covered.scratch, &covered.directory);
    fs::create_dir_all(&upper)?;
    let seen = fs::metadata(&covered.directory)?;
    // Only root may give folders away.
    let _ = std::os::unix::fs::chown(&upper, Some(seen.uid()), Some(seen.gid()));
    fs::set_permissions(&upper, fs::Permissions::from_mode(seen.mode() & 0o7777))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(work(covered))
}

fn work(covered: &Covered) -> PathBuf {
    // One for each overlay, on the same file system as what is written.
    let name = covered
        .directory
        .to_string_lossy()
        .replace('%', "%25")
        .replace('/', "%2F");
    covered.scratch.join("work").join(name)
}

/// Lays the overlays; those laid are in `mounted`.
fn lay<'a>(
    covered: &'a [Covered],
    own_users: bool,
    essential: &[PathBuf],
    mounted: &mut Vec<&'a Path>,
) -> Result<(), String> {
    const NONE: Option<&str> = None;
    let refused = |what: &str, error: Errno| format!("the system refuses {what}: {error}");
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)
        .map_err(|error| refused("private mounts", error))?;
    let directory = std::env::current_dir().map_err(|error| format!("no working directory: {error}"))?;
    // By descriptors: the paths may contain what separates options, and the first overlay may hide the next.
    let opened: Vec<Result<[OwnedFd; 3], Errno>> = covered
        .iter()
        .map(|covered| {
            let upper = mirror(&covered.scratch, &covered.directory);
            Ok([
                handle(&covered.directory)?,
                handle(&upper)?,
                handle(&work(covered))?,
            ])
        })
        .collect();
    for (covered, opened) in covered.iter().zip(opened) {
        let laid = opened.and_then(|[lower, upper, work]| {
            let mut options = String::new();
            for (name, handle) in [("lowerdir", &lower), ("upperdir", &upper), ("workdir", &work)] {
                let _ = write!(options, "{name}=/proc/self/fd/{},", handle.as_raw_fd());
            }
            options += if own_users { "userxattr" } else { "index=off" };
            mount(
                Some("deeplocalize"),
                &covered.directory,
                Some("overlay"),
                MsFlags::empty(),
                Some(options.as_str()),
            )
        });
        match laid {
            Ok(()) => mounted.push(&covered.directory),
            Err(error) if essential.iter().any(|path| path.starts_with(&covered.directory)) => {
                return Err(refused(
                    &format!("an overlay over {}", covered.directory.display()),
                    error,
                ));
            }
            // A file system that takes none, which the script does not live in.
            Err(_) => {}
        }
    }
    // The working directory is still the one below the overlay.
    std::env::set_current_dir(&directory).map_err(|error| format!("no working directory: {error}"))
}

fn handle(path: &Path) -> Result<OwnedFd, Errno> {
    open(
        path,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
}
