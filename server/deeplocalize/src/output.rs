//! Formats a report. A new format is one file with a [`Format`] and one line in [`FORMATS`].

mod json;
pub mod style;
mod text;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use finding::Range;

use crate::report::Report;
use crate::text::SourceText;

pub use text::write_error;

/// A way to print a report.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What `--output-format` calls it.
    pub name: &'static str,
    /// Prints a report: what was asked for on the first stream (stdout), what went wrong on the second (stderr)
    /// where the format itself has no place for it.
    pub write: fn(&Report, &Look, &mut dyn Write, &mut dyn Write) -> io::Result<()>,
}

/// All formats, the default first.
pub const FORMATS: &[Format] = &[text::FORMAT, json::FORMAT];

/// How a report is to look in formats made for people. Colours are always written: the streams take them out where
/// they are not wanted.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Leaves out the closing summary.
    pub quiet: bool,
}

/// The texts of a report with their lines.
struct Sources<'a> {
    texts: BTreeMap<&'a Path, SourceText>,
}

impl<'a> Sources<'a> {
    fn new(report: &'a Report) -> Self {
        let index = |(path, text): (&'a std::path::PathBuf, &'a String)| {
            (path.as_path(), SourceText::new(text.as_str()))
        };
        Sources {
            texts: report.texts.iter().map(index).collect(),
        }
    }

    fn get(&self, path: &Path) -> Option<&SourceText> {
        self.texts.get(path)
    }

    /// A range with the text it belongs to, moved so that it fits.
    fn place(&self, path: &Path, range: Range) -> Option<(&SourceText, Range)> {
        let source = self.get(path)?;
        Some((source, source.clamp(range)))
    }
}

/// Number and noun: `1 error`, `2 errors`.
fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
