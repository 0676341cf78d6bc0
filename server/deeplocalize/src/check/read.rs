//! From a file to its text, or to a clear word on why there is none.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::MAX_BYTES;
use crate::report::ToolError;

/// Opens a file for reading; anything but a regular file is refused, since reading it might never end.
pub fn open(path: &Path) -> Result<File, ToolError> {
    let unreadable = |error: &std::io::Error| unreadable(path, error);
    let metadata = path.metadata().map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(error(
            "unreadable",
            path,
            format!("{} is not a regular file", path.display()),
            "to check what another program writes, pipe it into `deeplocalize check -`",
        ));
    }
    File::open(path).map_err(|error| unreadable(&error))
}

/// Reads a text. `None` when only texts that mention Keras are wanted and this one does not.
pub fn text(reader: impl Read, path: &Path, only_keras: bool) -> Result<Option<String>, ToolError> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if only_keras && memchr::memmem::find(&bytes, b"keras").is_none() {
        return Ok(None);
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(error(
            "too-large",
            path,
            format!(
                "{} is larger than {} MiB",
                path.display(),
                MAX_BYTES / 1024 / 1024
            ),
            "a training script is far smaller; move its data into a file of its own",
        ));
    }
    if bytes.contains(&0) {
        return Err(error(
            "binary",
            path,
            format!("{} is not a text: it contains zero bytes", path.display()),
            "give the Python source, saved as UTF-8",
        ));
    }
    // Editors and Python count columns without the byte order mark, so it goes.
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map(Some).map_err(|failure| {
        let valid = failure.utf8_error().valid_up_to();
        let line = failure
            .as_bytes()
            .iter()
            .take(valid)
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1;
        error(
            "not-utf-8",
            path,
            format!("{} is not UTF-8 text (line {line})", path.display()),
            "save the file as UTF-8",
        )
    })
}

/// The error for a path that cannot be read.
pub fn unreadable(path: &Path, cause: &std::io::Error) -> ToolError {
    match cause.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => error(
            "no-such-file",
            path,
            format!("no such file or folder: {}", path.display()),
            "",
        ),
        ErrorKind::PermissionDenied => error(
            "unreadable",
            path,
            format!("no permission to read {}", path.display()),
            "",
        ),
        _ => error(
            "unreadable",
            path,
            format!("cannot read {}: {cause}", path.display()),
            "",
        ),
    }
}

/// An error about a path.
pub fn error(code: &str, path: &Path, message: String, hint: &str) -> ToolError {
    ToolError {
        code: code.into(),
        message,
        path: Some(path.to_owned()),
        hint: hint.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<String>, String> {
        text(bytes, Path::new("x.py"), false).map_err(|error| error.code)
    }

    #[test]
    fn text_is_read_and_everything_else_named() {
        assert_eq!(read(b"x = 1\n"), Ok(Some("x = 1\n".into())));
        assert_eq!(read(b"\xef\xbb\xbfx"), Ok(Some("x".into())), "byte order mark");
        assert_eq!(read(b"x = '\xff'"), Err("not-utf-8".into()));
        assert_eq!(read(b"PNG\0"), Err("binary".into()));
        assert_eq!(read(&vec![b' '; MAX_BYTES as usize + 1]), Err("too-large".into()));
        assert!(read(&vec![b' '; MAX_BYTES as usize]).is_ok());
    }

    #[test]
    fn the_line_that_is_not_utf8_is_named() {
        let error = text(&b"a\nb\n\xe9"[..], Path::new("x.py"), false).unwrap_err();
        assert_eq!(error.message, "x.py is not UTF-8 text (line 3)");
    }

    #[test]
    fn a_file_without_keras_is_passed_over_only_where_asked() {
        let pick = |bytes: &[u8], only| text(bytes, Path::new("x.py"), only).map(|text| text.is_some());
        assert_eq!(pick(b"import numpy", true), Ok(false));
        assert_eq!(pick(b"import numpy", false), Ok(true));
        assert_eq!(pick(b"from tensorflow import keras", true), Ok(true));
        assert_eq!(pick(b"\0\xff", true), Ok(false), "no error either");
    }
}
