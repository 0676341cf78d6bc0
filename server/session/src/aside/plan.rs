//! Which directories an overlay is laid over.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Not files, or none of the script's business.
const LEFT_ALONE: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/boot"];
/// More mounts than any usual machine needs; each costs a little.
const MOST: usize = 256;

/// A directory, and where what is written below it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Covered {
    pub directory: PathBuf,
    /// The one of the scratch folders to use. An overlay may not be kept within the very directory it covers.
    pub scratch: PathBuf,
}

/// The directories to cover, so that together they are all a script may write to; `mounts` are the mount points.
pub(super) fn plan(mounts: &BTreeSet<PathBuf>, scratches: &[PathBuf]) -> Result<Vec<Covered>, String> {
    let mut covered = Vec::new();
    visit(Path::new("/"), mounts, scratches, &mut covered)?;
    Ok(covered)
}

fn visit(
    directory: &Path,
    mounts: &BTreeSet<PathBuf>,
    scratches: &[PathBuf],
    covered: &mut Vec<Covered>,
) -> Result<(), String> {
    if LEFT_ALONE.iter().any(|left| Path::new(left) == directory) {
        return Ok(());
    }
    // An overlay shows nothing of what is mounted below its directory, so such a directory is covered in parts.
    let whole = !mounts
        .iter()
        .any(|mount| mount != directory && mount.starts_with(directory));
    let scratch = scratches.iter().find(|scratch| !scratch.starts_with(directory));
    if let (true, Some(scratch)) = (whole, scratch) {
        if covered.len() >= MOST {
            return Err(format!("more than {MOST} directories would have to be covered"));
        }
        covered.push(Covered {
            directory: directory.to_owned(),
            scratch: scratch.clone(),
        });
        return Ok(());
    }
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    for folder in folders {
        visit(&folder, mounts, scratches, covered)?;
    }
    Ok(())
}

/// The mount points in the text of `/proc/self/mountinfo`.
pub(super) fn mount_points(mountinfo: &[u8]) -> BTreeSet<PathBuf> {
    mountinfo
        .split(|&byte| byte == b'\n')
        .filter_map(|line| line.split(|&byte| byte == b' ').nth(4))
        .map(unescape)
        .collect()
}

/// Blanks, tabs, line breaks and backslashes are written as three octal digits.
fn unescape(text: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let digits = (first == b'\\').then(|| after.get(..3)).flatten();
        let value = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_with_mounts_or_with_the_scratch_are_covered_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for name in [
            "plain/a",
            "parted/mounted",
            "parted/other",
            "temp/scratch",
            "temp/user",
        ] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let mounts = BTreeSet::from([root.join("parted/mounted")]);
        let scratches = [root.join("temp/scratch")];
        let mut covered = Vec::new();
        visit(&root, &mounts, &scratches, &mut covered).unwrap();
        let directories: Vec<_> = covered
            .iter()
            .map(|covered| covered.directory.strip_prefix(&root).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            directories,
            ["parted/mounted", "parted/other", "plain", "temp/user"]
        );

        let second = PathBuf::from("/elsewhere");
        let mut covered = Vec::new();
        visit(
            &root.join("temp"),
            &mounts,
            &[scratches[0].clone(), second.clone()],
            &mut covered,
        )
        .unwrap();
        assert_eq!(
            covered,
            [Covered {
                directory: root.join("temp"),
                scratch: second
            }]
        );
    }

    #[test]
    fn mount_points_are_unescaped() {
        let text = b"22 27 0:20 / /proc rw - proc proc rw\n30 1 8:1 / /mnt/my\\040disk\\134 rw - ext4 /dev/sda1 rw\n";
        let expected = ["/mnt/my disk\\", "/proc"].map(PathBuf::from);
        assert_eq!(mount_points(text), BTreeSet::from(expected));
    }
}
