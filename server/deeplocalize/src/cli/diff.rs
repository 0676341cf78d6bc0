//! What fixes change, as a unified diff.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use similar::{ChangeTag, TextDiff};

use crate::check::FixedFile;
use crate::output::style::{EMPHASIS, paint};

const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();

/// Writes the diff of a file, which `patch` and `git apply` take.
pub fn write(file: &FixedFile, out: &mut dyn Write) -> io::Result<()> {
    let path = file.path.display();
    writeln!(out, "{}", paint(EMPHASIS, format!("--- {path}")))?;
    writeln!(out, "{}", paint(EMPHASIS, format!("+++ {path}")))?;
    let diff = TextDiff::from_lines(&file.before, &file.after);
    for hunk in diff.unified_diff().iter_hunks() {
        writeln!(out, "{}", hunk.header())?;
        for change in hunk.iter_changes() {
            let line = format!("{}{}", change.tag(), change.value().trim_end_matches('\n'));
            let line = match change.tag() {
                ChangeTag::Insert => paint(ADDED, line),
                ChangeTag::Delete => paint(REMOVED, line),
                ChangeTag::Equal => line,
            };
            writeln!(out, "{line}")?;
            if change.missing_newline() {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}
