//! Open notebooks: their cells are documents, and their check is one of all cells together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use finding::{Edit, Finding, Range};
use tower_lsp::ls_types::Uri;

use super::event::Event;
use super::outline::{Entry, LayerNote, ModelNote, Outline};
use super::position::IndexedText;
use super::quick_check::{CheckedFile, Checker, TIME_LIMIT};
use super::state::State;
use super::{methods, publish};
use crate::check::notebook::python;

/// A notebook as the client shows it.
#[derive(Debug)]
pub struct Notebook {
    /// The path settings count for.
    pub path: PathBuf,
    /// Its code cells in order.
    pub cells: Vec<Uri>,
    /// Whether a check goes on.
    checking: bool,
}

impl Notebook {
    /// A notebook that was just opened.
    pub fn new(path: PathBuf, cells: Vec<Uri>) -> Self {
        Notebook {
            path,
            cells,
            checking: false,
        }
    }
}

/// A cell as it was when a check began.
#[derive(Clone, Debug)]
pub struct Cell {
    uri: Uri,
    path: PathBuf,
    revision: u64,
    text: Arc<IndexedText>,
}

/// The notebook that a document is a cell of.
pub fn of_cell(state: &State, cell: &Uri) -> Option<Uri> {
    let holds = |(_, notebook): &(&Uri, &Notebook)| notebook.cells.contains(cell);
    state.notebooks.iter().find(holds).map(|(uri, _)| uri.clone())
}

/// The cells changed in text or order: what was found in any of them may be wrong now.
pub fn changed(state: &mut State, uri: &Uri) {
    let cells = state.notebooks.get(uri).map(|notebook| notebook.cells.clone());
    for cell in cells.unwrap_or_default() {
        let revision = state.next_revision();
        if let Some(document) = state.documents.get_mut(&cell) {
            document.revision = revision;
        }
    }
    now(state, uri);
}

/// Checks a notebook, unless its cells are checked already. One check of a notebook at a time.
pub fn now(state: &mut State, uri: &Uri) {
    let Some(notebook) = state.notebooks.get_mut(uri) else {
        return;
    };
    let cells: Vec<Cell> = notebook
        .cells
        .iter()
        .filter_map(|cell| {
            let document = state.documents.get(cell)?;
            Some(Cell {
                uri: cell.clone(),
                path: document.path.clone(),
                revision: document.revision,
                text: Arc::clone(&document.text),
            })
        })
        .collect();
    let is_current = |cell: &Cell| {
        let document = state.documents.get(&cell.uri);
        document.is_some_and(|document| document.current().is_some())
    };
    if notebook.checking || cells.iter().all(is_current) {
        return;
    }
    notebook.checking = true;
    let (checker, path) = (Arc::clone(&state.checker), notebook.path.clone());
    let (events, uri) = (state.events.clone(), uri.clone());
    tokio::spawn(async move {
        let snapshot = cells.clone();
        let check = tokio::task::spawn_blocking(move || check(&checker, &path, &snapshot));
        let checked = tokio::time::timeout(TIME_LIMIT, check).await;
        let files = checked.ok().and_then(Result::ok);
        let _ = events.send(Event::NotebookChecked(uri, cells, files));
    });
}

/// A check of a notebook is over: publishes and answers when its cells are still the same.
pub fn finished(state: &mut State, uri: &Uri, cells: Vec<Cell>, files: Option<Vec<CheckedFile>>) {
    let Some(notebook) = state.notebooks.get_mut(uri) else {
        return;
    };
    notebook.checking = false;
    let open = notebook
        .cells
        .iter()
        .filter(|cell| state.documents.contains_key(cell));
    let same = open.eq(cells.iter().map(|cell| &cell.uri))
        && cells.iter().all(|cell| {
            let document = state.documents.get(&cell.uri);
            document.is_some_and(|document| document.revision == cell.revision)
        });
    if !same {
        return now(state, uri);
    }
    if files.is_none() {
        tracing::error!(
            "the check of {} panicked or took too long; it counts as empty",
            uri.as_str()
        );
    }
    let mut files = files.unwrap_or_default().into_iter();
    let mut waiting = Vec::new();
    for cell in &cells {
        if let Some(document) = state.documents.get_mut(&cell.uri) {
            document.checked = Some((cell.revision, files.next().unwrap_or_default()));
            let questions = std::mem::take(&mut document.waiting);
            waiting.extend(questions.into_iter().map(|question| (cell.uri.clone(), question)));
        }
    }
    state.tell_settings_errors();
    for cell in &cells {
        publish::document(state, &cell.uri);
    }
    for (cell, question) in waiting {
        methods::answer(state, &cell, question);
    }
}

/// Checks the cells as one program; what was found, by cell.
fn check(checker: &Checker, path: &Path, cells: &[Cell]) -> Vec<CheckedFile> {
    let mut program = String::new();
    let mut ranges = Vec::new();
    for cell in cells {
        let start = program.len();
        program.push_str(&python(cell.text.as_str()));
        ranges.push(Range::new(start, program.len()));
        program.push('\n');
    }
    let split = Split {
        cells,
        ranges,
        program,
    };
    let found = checker(&split.program, path);
    let mut files: Vec<CheckedFile> = cells.iter().map(|_| CheckedFile::default()).collect();
    for finding in found.findings {
        let Some(at) = split.cell(finding.range) else {
            continue;
        };
        if let (Some(finding), Some(file)) = (split.finding(finding), files.get_mut(at)) {
            file.findings.push(finding);
        }
    }
    for fit in found.fits {
        if let Some(file) = split.cell(fit).and_then(|at| files.get_mut(at)) {
            file.fits.extend(split.place(fit).map(|(_, range)| range));
        }
    }
    for (file, outline) in files.iter_mut().zip(split.outlines(&found.outline)) {
        file.outline = outline;
    }
    files
}

/// The way back from the program to the cells.
struct Split<'a> {
    cells: &'a [Cell],
    ranges: Vec<Range>,
    program: String,
}

impl Split<'_> {
    fn cell(&self, range: Range) -> Option<usize> {
        self.ranges.iter().position(|cell| cell.contains(range))
    }

    /// Path of the cell that a range is in, and the range there.
    fn place(&self, range: Range) -> Option<(PathBuf, Range)> {
        let at = self.cell(range)?;
        let start = self.ranges.get(at)?.start;
        let path = self.cells.get(at)?.path.clone();
        Some((path, Range::new(range.start - start, range.end - start)))
    }

    /// The outline of each cell: its layers, and the models that it makes or makes layers of.
    fn outlines(&self, whole: &Outline) -> Vec<Outline> {
        let cells = self.ranges.iter().map(|&cell| {
            let place = |range: Range| {
                cell.contains(range)
                    .then(|| Range::new(range.start - cell.start, range.end - cell.start))
            };
            let layers = whole.layers.iter().filter_map(|note| {
                Some(LayerNote {
                    range: place(note.range)?,
                    callee: place(note.callee)?,
                    ..note.clone()
                })
            });
            let models = whole.models.iter().filter_map(|note| {
                let entries = note.layers.iter().filter_map(|entry| {
                    Some(Entry {
                        range: place(entry.range)?,
                        callee: place(entry.callee)?,
                        ..entry.clone()
                    })
                });
                let model = ModelNote {
                    range: note.range.and_then(place),
                    callee: note.callee.and_then(place),
                    layers: entries.collect(),
                    ..note.clone()
                };
                (model.range.is_some() || !model.layers.is_empty()).then_some(model)
            });
            Outline {
                layers: layers.collect(),
                models: models.collect(),
            }
        });
        cells.collect()
    }

    fn finding(&self, mut finding: Finding) -> Option<Finding> {
        (finding.path, finding.range) = self.place(finding.range)?;
        for evidence in &mut finding.evidence {
            if let Some((path, range)) = evidence.range.and_then(|range| self.place(range)) {
                (evidence.path, evidence.range) = (path, Some(range));
            }
        }
        finding.fixes.retain_mut(|fix| {
            let edits: Option<Vec<Edit>> = fix.edits.drain(..).map(|edit| self.edit(edit)).collect();
            edits.map(|edits| fix.edits = edits).is_some()
        });
        Some(finding)
    }

    /// The edit in its cell; `None` where the cell holds something other than the program says.
    fn edit(&self, edit: Edit) -> Option<Edit> {
        let (path, range) = self.place(edit.range)?;
        let cell = self.cells.iter().find(|cell| cell.path == path)?;
        (range.slice(cell.text.as_str()) == edit.range.slice(&self.program)).then_some(Edit {
            path,
            range,
            ..edit
        })
    }
}
