//! Replaces the content of a file: all of it or nothing, with its permissions.

use std::io::{Error, ErrorKind, Result, Write};
use std::path::Path;

/// Replaces the content of a file that is `before` by `after`. A link stays a link: what it points to is replaced.
pub fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<()> {
    let path = path.canonicalize()?;
    let permissions = path.metadata()?.permissions();
    if permissions.readonly() {
        return Err(Error::new(
            ErrorKind::PermissionDenied,
            "the file is write-protected",
        ));
    }
    if std::fs::read(&path)? != before {
        return Err(Error::other("the file was changed meanwhile"));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".deeplocalize-")
        .tempfile_in(folder)?;
    file.write_all(after)?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn permissions_and_links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("t.py"), folder.path().join("link.py"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o751)).unwrap();
        symlink("t.py", &link).unwrap();
        replace(&link, b"old", b"new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o751);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing left behind"
        );
    }

    #[test]
    fn a_file_that_changed_or_is_protected_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.py");
        fs::write(&file, "other").unwrap();
        assert!(replace(&file, b"old", b"new").is_err());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        assert!(replace(&file, b"other", b"new").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "other");
    }
}
