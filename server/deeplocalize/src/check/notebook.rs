//! Jupyter notebooks: the code cells in order as one program, and changes of it back into the file.

use serde::Deserialize;
use serde_json::value::RawValue;

use finding::{Edit, Range};

/// A notebook as a program.
#[derive(Clone, Debug)]
pub struct Notebook {
    json: String,
    cells: Vec<Cell>,
    /// The cells one after the other, each ended by a line break; lines that are not Python are blank.
    pub program: String,
}

#[derive(Clone, Debug)]
struct Cell {
    /// Where the value of `source` stands in the JSON.
    place: Range,
    /// The cell's text as it is in the notebook.
    source: String,
    /// The same in the program, with as many bytes as `source`.
    range: Range,
}

#[derive(Deserialize)]
struct NotebookJson<'a> {
    #[serde(borrow)]
    cells: Vec<CellJson<'a>>,
}

#[derive(Deserialize)]
struct CellJson<'a> {
    cell_type: String,
    #[serde(borrow, default)]
    source: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Whole(String),
    Lines(Vec<String>),
}

impl Notebook {
    /// Reads a notebook of format 4; the error says what is wrong with it.
    pub fn parse(json: String) -> Result<Notebook, String> {
        let parsed: NotebookJson<'_> = serde_json::from_str(&json)
            .map_err(|error| format!("this is no Jupyter notebook (format 4): {error}"))?;
        let mut cells = Vec::new();
        let mut program = String::new();
        for cell in parsed.cells.iter().filter(|cell| cell.cell_type == "code") {
            let Some(raw) = cell.source else { continue };
            let source = match serde_json::from_str(raw.get()) {
                Ok(Source::Whole(source)) => source,
                Ok(Source::Lines(lines)) => lines.concat(),
                Err(_) => {
                    return Err("the source of a code cell is neither a string nor a list of strings".into());
                }
            };
            // The raw value is a slice of the text, so its place is known.
            let start = (raw.get().as_ptr() as usize).wrapping_sub(json.as_ptr() as usize);
            let begin = program.len();
            program.push_str(&python(&source));
            cells.push(Cell {
                place: Range::new(start, start + raw.get().len()),
                range: Range::new(begin, program.len()),
                source,
            });
            program.push('\n');
        }
        Ok(Notebook { cells, program, json })
    }

    /// Where each code cell begins in the program.
    pub fn starts(&self) -> Vec<usize> {
        self.cells.iter().map(|cell| cell.range.start).collect()
    }

    /// The file.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The file after edits of the program that do not overlap; all but the changed cells stays as it is. `None` when an edit
    /// goes beyond one cell or touches a line that is not Python.
    pub fn edited(&self, edits: &[Edit]) -> Option<String> {
        let mut json = String::with_capacity(self.json.len());
        let mut end = 0;
        let mut used = 0;
        for cell in &self.cells {
            let inside: Vec<Edit> = edits
                .iter()
                .filter(|edit| cell.range.contains(edit.range))
                .map(|edit| Edit {
                    range: Range::new(
                        edit.range.start - cell.range.start,
                        edit.range.end - cell.range.start,
                    ),
                    ..edit.clone()
                })
                .collect();
            if inside.is_empty() {
                continue;
            }
            let is_python = |edit: &Edit| {
                let moved = Range::new(
                    edit.range.start + cell.range.start,
                    edit.range.end + cell.range.start,
                );
                moved.slice(&self.program) == edit.range.slice(&cell.source)
            };
            if !inside.iter().all(is_python) {
                return None;
            }
            used += inside.len();
            let source = crate::fixes::apply(&cell.source, &inside)?;
            json.push_str(self.json.get(end..cell.place.start)?);
            json.push_str(&written_like(cell.place.slice(&self.json), &source)?);
            end = cell.place.end;
        }
        json.push_str(self.json.get(end..)?);
        (used == edits.len()).then_some(json)
    }
}

/// `source` as JSON in the manner of `old`: a string, or a list of lines with the same blanks between them.
fn written_like(old: &str, source: &str) -> Option<String> {
    if old.starts_with('"') {
        return serde_json::to_string(source).ok();
    }
    let blanks = |text: &str| text.len() - text.trim_start().len();
    let inside = old.get(1..)?;
    let before = inside.get(..blanks(inside))?;
    let trimmed = inside.strip_suffix(']')?.trim_end();
    let after = inside.get(trimmed.len()..inside.len() - 1)?;
    let lines: Vec<String> = source
        .split_inclusive('\n')
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .ok()?;
    let between = if before.is_empty() {
        ", ".to_owned()
    } else {
        format!(",{before}")
    };
    Some(format!("[{before}{}{after}]", lines.join(&between)))
}

/// Cell magics whose cell is still Python of this notebook.
const PYTHON_CELLS: [&str; 5] = ["time", "timeit", "capture", "prun", "python3"];

/// The cell's text with what is not Python blanked, byte by byte.
pub fn python(source: &str) -> String {
    let first = source.trim_start().strip_prefix("%%").map(|rest| {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    });
    if first.is_some_and(|magic| !PYTHON_CELLS.contains(&magic)) {
        return source.split_inclusive('\n').map(blank).collect();
    }
    let mut program = String::with_capacity(source.len());
    let mut continued = false;
    for line in source.split_inclusive('\n') {
        let goes_on = line.trim_end().ends_with('\\');
        if continued || is_magic(line) {
            program.push_str(&blank(line));
            continued = goes_on;
        } else {
            program.push_str(&without_magic_value(line));
        }
    }
    program
}

/// Whether a line is for the shell or the notebook.
fn is_magic(line: &str) -> bool {
    let line = line.trim();
    // A line of a longer expression may begin with `%` or `!=`, but not with `%name` or `!name`.
    let command = |prefix: &str| {
        let rest = line.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|letter: char| letter.is_alphabetic() || letter == '_'))
    };
    let shell = line.starts_with('!') && !line.starts_with("!=");
    let help = |line: &str| {
        let name = line.trim_matches('?');
        !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'))
    };
    shell
        || command("%")
        || command("%%")
        || (line.starts_with('?') && help(line))
        || (line.ends_with('?') && help(line))
}

/// `files = !ls` and `x = %magic` with a value that is Python, and nothing known.
fn without_magic_value(line: &str) -> String {
    let value = line.split_once('=').and_then(|(name, value)| {
        let target = name
            .trim()
            .chars()
            .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ',' | ' '));
        let trimmed = value.trim_start();
        (target && is_magic(trimmed) && !trimmed.trim_end().ends_with('?')).then_some(trimmed)
    });
    match value {
        Some(value) if value.trim_end().len() >= 3 => {
            let kept = line.get(..line.len() - value.len()).unwrap_or_default();
            let mut blanked = blank(value);
            blanked.replace_range(..3, "...");
            format!("{kept}{blanked}")
        }
        _ => line.to_owned(),
    }
}

/// As many blanks as the line has bytes, its line break kept. Where it is indented it may be all that a block holds, so it becomes `pass`.
fn blank(line: &str) -> String {
    let content = line.trim_end_matches(['\n', '\r']);
    let indent = content.len() - content.trim_start().len();
    let mut blank = " ".repeat(content.len());
    if indent > 0 && content.len() >= indent + "pass".len() && content.is_char_boundary(indent) {
        blank.replace_range(indent..indent + "pass".len(), "pass");
        blank.replace_range(..indent, content.get(..indent).unwrap_or_default());
    }
    blank + line.get(content.len()..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTEBOOK: &str = r##"{
 "cells": [
  {
   "cell_type": "markdown",
   "metadata": {},
   "source": ["# 100 % !title\n"]
  },
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "é",
   "metadata": {},
   "outputs": [{"text": ["1e5", 1.50]}],
   "source": [
    "!pip install keras\n",
    "import keras\n",
    "x = 'é \" 😀'"
   ]
  },
  {"source": "model.fit(x)", "cell_type": "code"}
 ],
 "nbformat": 4,
 "metadata": {"b": 1, "a": 1.0}
}
"##;

    fn replace(notebook: &Notebook, old: &str, new: &str) -> Edit {
        let start = notebook.program.find(old).unwrap();
        Edit {
            path: "t.ipynb".into(),
            range: Range::new(start, start + old.len()),
            new_text: new.to_owned(),
        }
    }

    #[test]
    fn code_cells_make_one_program() {
        let notebook = Notebook::parse(NOTEBOOK.to_owned()).unwrap();
        assert_eq!(
            notebook.program,
            "                  \nimport keras\nx = 'é \" 😀'\nmodel.fit(x)\n"
        );
        assert_eq!(notebook.starts(), [0, notebook.program.find("model").unwrap()]);
    }

    #[test]
    fn only_what_is_edited_changes() {
        let notebook = Notebook::parse(NOTEBOOK.to_owned()).unwrap();
        let edits = [
            replace(&notebook, "keras\nx", "keras\nimport numpy\n\"y\""),
            replace(&notebook, "fit", "evaluate"),
        ];
        let expected = NOTEBOOK
            .replace(
                "\"import keras\\n\",\n    \"x =",
                "\"import keras\\n\",\n    \"import numpy\\n\",\n    \"\\\"y\\\" =",
            )
            .replace("model.fit", "model.evaluate");
        assert_eq!(notebook.edited(&edits).as_deref(), Some(expected.as_str()));
        assert_eq!(notebook.edited(&[]).as_deref(), Some(NOTEBOOK));
        let across = replace(&notebook, "😀'\nmodel", "");
        assert_eq!(notebook.edited(&[across]), None, "beyond one cell");
        let magic = Edit {
            path: "t.ipynb".into(),
            range: Range::new(0, 4),
            new_text: "x".into(),
        };
        assert_eq!(notebook.edited(&[magic]), None, "not Python");
    }

    #[test]
    fn what_is_not_python_is_blanked_byte_by_byte() {
        for (source, program) in [
            ("%matplotlib inline\nx = 1", "                  \nx = 1"),
            ("%%time\nx = 1", "      \nx = 1"),
            ("%%bash\nls é\n", "      \n     \n"),
            ("!ls \\\n  -l\nx", "     \n    \nx"),
            ("if x:\n    !pip install\n", "if x:\n    pass        \n"),
            ("keras.Model?\n?keras\n", "            \n      \n"),
            ("files = !ls\n", "files = ...\n"),
            ("x = ('%d'\n     % y)\n", "x = ('%d'\n     % y)\n"),
            ("assert (a\n  != b)\n", "assert (a\n  != b)\n"),
            ("x = a == 1 if b else c\n", "x = a == 1 if b else c\n"),
            ("# what?\n", "# what?\n"),
        ] {
            assert_eq!(python(source), program, "{source}");
            assert_eq!(python(source).len(), source.len(), "{source}");
        }
    }

    #[test]
    fn what_is_no_notebook_is_refused() {
        for json in [
            "",
            "[]",
            "{}",
            "{\"cells\": [1]}",
            "{\"cells\": [{\"cell_type\": \"code\", \"source\": 3}]}",
        ] {
            assert!(Notebook::parse(json.to_owned()).is_err(), "{json}");
        }
        let empty = Notebook::parse("{\"cells\": []}".into()).unwrap();
        assert_eq!((empty.program.as_str(), empty.starts().len()), ("", 0));
    }
}
