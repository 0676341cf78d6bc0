//! Workflow commands of GitHub Actions, which it shows beside the changed lines.
//!
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use std::io::{self, Write};

use finding::Severity;

use super::{Format, Look, Sources};
use crate::report::Report;

pub const FORMAT: Format = Format {
    name: "github",
    write,
};

fn write(report: &Report, _look: &Look, out: &mut dyn Write, _err: &mut dyn Write) -> io::Result<()> {
    let sources = Sources::new(report);
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information | Severity::Hint => "notice",
        };
        let mut properties = format!("title={}", property(&format!("DeepLocalize ({})", finding.code)));
        properties.push_str(&format!(",file={}", property(&finding.path.to_string_lossy())));
        // Lines of a notebook's cell are no lines of the file.
        if let Some(span) = sources
            .span(&finding.path, finding.range)
            .filter(|span| span.cell.is_none())
        {
            properties.push_str(&format!(",line={},endLine={}", span.start.0, span.end.0));
            // GitHub refuses columns of a range over several lines.
            if span.start.0 == span.end.0 {
                properties.push_str(&format!(",col={},endColumn={}", span.start.1, span.end.1));
            }
        }
        let place = sources.describe(&finding.path, finding.range);
        let message = data(&format!("{place}: {} {}", finding.code, finding.message));
        writeln!(out, "::{command} {properties}::{message}")?;
    }
    for error in &report.errors {
        let mut message = error.message.clone();
        if !error.hint.is_empty() {
            message.push_str(&format!(" ({})", error.hint));
        }
        let title = property(&format!("DeepLocalize ({})", error.code));
        writeln!(out, "::error title={title}::{}", data(&message))?;
    }
    out.flush()
}

/// Escapes a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property, which ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
