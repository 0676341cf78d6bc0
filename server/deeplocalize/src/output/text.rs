//! For people: each finding with its source, as rustc shows its own, then the verdict in a sentence.

mod finding;
pub(crate) mod summary;

use std::collections::HashSet;
use std::io::{self, Write};

use super::style::{DIM, ERROR, HELP, paint};
use super::{Format, Look, Sources};
use crate::report::{Report, ToolError};

pub const FORMAT: Format = Format { name: "text", write };

/// Widest text that is still easy to read.
const MAX_WIDTH: usize = 120;

fn write(report: &Report, look: &Look, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    let look = Look {
        width: look.width.clamp(40, MAX_WIDTH),
        ..*look
    };
    let sources = Sources::new(report);
    let mut explained = HashSet::new();
    for item in &report.findings {
        let first_of_its_code = explained.insert(item.code);
        writeln!(
            out,
            "{}\n",
            finding::render(item, &sources, &look, first_of_its_code)
        )?;
    }
    out.flush()?;
    for error in &report.errors {
        write_error(error, err)?;
    }
    err.flush()?;
    if !look.quiet {
        if let Some(sentence) = summary::sentence(report) {
            writeln!(out, "{sentence}")?;
        }
        if let Some(line) = summary::tried(report) {
            writeln!(out, "{}", paint(DIM, line))?;
        }
        if let Some(line) = summary::fallback(report, &sources) {
            writeln!(out, "{}", paint(DIM, line))?;
        }
        if let Some(log) = summary::log(report) {
            let line = format!("what the script printed is in {}", log.display());
            writeln!(out, "{}", paint(DIM, line))?;
        }
        if let Some(line) = report
            .run
            .as_ref()
            .and_then(|run| summary::written(run.written.as_ref()?))
        {
            writeln!(out, "{}", paint(DIM, visible(&line)))?;
        }
    }
    out.flush()
}

/// Prints what kept the tool from doing its work.
pub fn write_error(error: &ToolError, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}", paint(ERROR, "error"), visible(&error.message))?;
    if !error.hint.is_empty() {
        writeln!(out, "{}: {}", paint(HELP, "hint"), visible(&error.hint))?;
    }
    Ok(())
}

/// The text without escape sequences and other control characters, which exceptions and paths may contain.
pub(super) fn visible(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    let shown = |character: char| character == '\n' || !character.is_control();
    text.chars()
        .map(|character| if character == '\t' { ' ' } else { character })
        .filter(|&character| shown(character))
        .collect()
}
