//! Formats a report. A new format is one file with a [`Format`] and one line in [`FORMATS`].

mod concise;
mod fingerprint;
mod github;
mod gitlab;
pub mod html;
mod json;
mod junit;
mod sarif;
pub mod style;
mod text;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use finding::Range;

use crate::report::Report;
use crate::text::SourceText;

pub use text::summary::tried;
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
pub const FORMATS: &[Format] = &[
    text::FORMAT,
    concise::FORMAT,
    json::FORMAT,
    sarif::FORMAT,
    github::FORMAT,
    gitlab::FORMAT,
    junit::FORMAT,
    html::FORMAT,
];

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
#[derive(Debug)]
struct Sources<'a> {
    texts: BTreeMap<&'a Path, SourceText>,
    cells: &'a BTreeMap<PathBuf, Vec<usize>>,
}

/// A range as people count it: lines and columns from 1, columns in code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// The code cell of a notebook, from 1, that lines are counted in.
    cell: Option<usize>,
    /// First line and column.
    start: (usize, usize),
    /// Line and column past the end.
    end: (usize, usize),
}

impl<'a> Sources<'a> {
    fn new(report: &'a Report) -> Self {
        let index = |(path, text): (&'a std::path::PathBuf, &'a String)| {
            (path.as_path(), SourceText::new(text.as_str()))
        };
        Sources {
            texts: report.texts.iter().map(index).collect(),
            cells: &report.cells,
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

    /// The cell of a notebook that an offset is in, from 1, and the line (from 1) of the text that it begins on.
    fn cell(&self, path: &Path, offset: usize) -> Option<(usize, usize)> {
        let starts = self.cells.get(path)?;
        let cell = starts.partition_point(|start| *start <= offset).max(1);
        let start = starts.get(cell - 1)?;
        Some((cell, self.get(path)?.line_column(*start).0))
    }

    /// A range as people count it; `None` when the report lacks the text that it refers to.
    fn span(&self, path: &Path, range: Range) -> Option<Span> {
        let (source, range) = self.place(path, range)?;
        let cell = self.cell(path, range.start);
        let first = cell.map_or(1, |(_, line)| line);
        let count = |offset| {
            let (line, column) = source.line_column(offset);
            (line.saturating_sub(first) + 1, column)
        };
        Some(Span {
            cell: cell.map(|(cell, _)| cell),
            start: count(range.start),
            end: count(range.end),
        })
    }

    /// `train.py:12:5`, `train.ipynb:cell 3:12:5`, or only the path where the text is not known.
    fn describe(&self, path: &Path, range: Range) -> String {
        let name = path.display();
        match self.span(path, range) {
            Some(Span {
                cell: Some(cell),
                start: (line, column),
                ..
            }) => format!("{name}:cell {cell}:{line}:{column}"),
            Some(Span {
                start: (line, column),
                ..
            }) => format!("{name}:{line}:{column}"),
            None => name.to_string(),
        }
    }
}

/// Number and noun: `1 error`, `2 errors`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
