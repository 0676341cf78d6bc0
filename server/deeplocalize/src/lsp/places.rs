//! Paths of findings ↔ documents of the client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use finding::Range;
use tower_lsp::ls_types::{Location, Uri};

use super::position::IndexedText;
use super::state::State;

/// The path findings in a document carry: that of its file, or its uri where it has none (an untitled buffer).
pub fn path_of(uri: &Uri) -> PathBuf {
    file_path(uri).unwrap_or_else(|| PathBuf::from(uri.as_str()))
}

/// The file a `file:` uri names.
pub fn file_path(uri: &Uri) -> Option<PathBuf> {
    let is_file = uri.scheme().as_str().eq_ignore_ascii_case("file");
    is_file
        .then(|| uri.to_file_path())?
        .map(std::borrow::Cow::into_owned)
}

impl State {
    /// The uri of a path: as the client wrote it for an open document.
    pub fn uri_of(&self, path: &Path) -> Option<Uri> {
        self.documents
            .iter()
            .find(|(_, document)| document.path == path)
            .map(|(uri, _)| uri.clone())
            .or_else(|| path.is_absolute().then(|| Uri::from_file_path(path)).flatten())
    }

    /// The text that ranges in a path refer to.
    pub fn text_of(&self, path: &Path) -> Option<&Arc<IndexedText>> {
        self.documents
            .values()
            .find(|document| document.path == path)
            .map(|document| &document.text)
            .or_else(|| self.results.text(path))
    }

    /// Place of a range; `None` when its text is not known.
    pub fn location(&self, path: &Path, range: Range) -> Option<Location> {
        let text = self.text_of(path)?;
        Some(Location::new(
            self.uri_of(path)?,
            text.range(range, self.encoding),
        ))
    }
}
