//! One line per finding: `train.py:12:5: error DL101 …`.

use std::io::{self, Write};

use finding::Severity;

use super::style::{DIM, EMPHASIS, ERROR, HELP, WARNING, paint};
use super::text::{summary, visible};
use super::{Format, Look, Sources, write_error};
use crate::report::Report;

pub const FORMAT: Format = Format {
    name: "concise",
    write,
};

fn write(report: &Report, look: &Look, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    let sources = Sources::new(report);
    for finding in &report.findings {
        let style = match finding.severity {
            Severity::Error => ERROR,
            Severity::Warning => WARNING,
            Severity::Information => HELP,
            Severity::Hint => DIM,
        };
        let place = sources.describe(&finding.path, finding.range);
        writeln!(
            out,
            "{}: {} {}",
            paint(EMPHASIS, visible(&place)),
            paint(style, format!("{} {}", finding.severity.as_str(), finding.code)),
            visible(&finding.message.replace('\n', " "))
        )?;
    }
    out.flush()?;
    for error in &report.errors {
        write_error(error, err)?;
    }
    if let Some(sentence) = summary::sentence(report).filter(|_| !look.quiet) {
        writeln!(out, "{sentence}")?;
    }
    out.flush()
}
