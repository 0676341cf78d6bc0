//! A file as it is on disk, and the program in it.

use std::path::Path;

use finding::Edit;

use super::notebook::Notebook;
use super::read;
use crate::fixes;
use crate::report::ToolError;

/// The byte order mark some editors put before a text.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Script {
    has_mark: bool,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Python(String),
    Notebook(Notebook),
}

impl Script {
    /// Reads the program in a file's text; notebooks are known by the path.
    pub fn new(path: &Path, text: read::Text) -> Result<Script, ToolError> {
        let content = if is_notebook(path) {
            let notebook = Notebook::parse(text.text).map_err(|why| {
                read::error(
                    "bad-notebook",
                    path,
                    format!("{}: {why}", path.display()),
                    "open it in Jupyter and save it again, which brings old notebooks to format 4",
                )
            })?;
            Content::Notebook(notebook)
        } else {
            Content::Python(text.text)
        };
        Ok(Script {
            has_mark: text.has_mark,
            content,
        })
    }

    /// The program.
    pub fn program(&self) -> &str {
        match &self.content {
            Content::Python(text) => text,
            Content::Notebook(notebook) => &notebook.program,
        }
    }

    /// Where the cells of a notebook begin in the program.
    pub fn cells(&self) -> Option<Vec<usize>> {
        match &self.content {
            Content::Python(_) => None,
            Content::Notebook(notebook) => Some(notebook.starts()),
        }
    }

    /// The file's content.
    pub fn file(&self) -> String {
        let text = match &self.content {
            Content::Python(text) => text,
            Content::Notebook(notebook) => notebook.json(),
        };
        let mark = if self.has_mark { BYTE_ORDER_MARK } else { "" };
        format!("{mark}{text}")
    }

    /// The script after edits of its program; `None` when they do not fit it.
    pub fn edited(&self, edits: &[Edit]) -> Option<Script> {
        let content = match &self.content {
            Content::Python(text) => Content::Python(fixes::apply(text, edits)?),
            Content::Notebook(notebook) => Content::Notebook(Notebook::parse(notebook.edited(edits)?).ok()?),
        };
        Some(Script {
            has_mark: self.has_mark,
            content,
        })
    }
}

/// Whether a path is that of a notebook.
pub fn is_notebook(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ipynb")
}
