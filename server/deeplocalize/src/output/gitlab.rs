//! GitLab's Code Quality report.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use std::io::{self, Write};

use finding::Severity;
use serde_json::json;

use super::fingerprint::Fingerprints;
use super::{Format, Look, Sources, write_error};
use crate::report::Report;

pub const FORMAT: Format = Format {
    name: "gitlab",
    write,
};

fn write(report: &Report, _look: &Look, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    let sources = Sources::new(report);
    let mut fingerprints = Fingerprints::default();
    let issues: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let span = sources.span(&finding.path, finding.range);
            let lines = match span.filter(|span| span.cell.is_none()) {
                Some(span) => json!({"begin": span.start.0, "end": span.end.0}),
                // Lines of a notebook's cell are no lines of the file.
                None => json!({"begin": 1, "end": 1}),
            };
            let place = match span.and_then(|span| span.cell.map(|cell| (cell, span.start.0))) {
                Some((cell, line)) => format!("cell {cell}, line {line}: "),
                None => String::new(),
            };
            json!({
                "type": "issue",
                "check_name": finding.code,
                "description": format!("{place}{}: {}", finding.code, finding.message),
                "categories": ["Bug Risk"],
                "severity": match finding.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "major",
                    Severity::Information => "minor",
                    Severity::Hint => "info",
                },
                "fingerprint": fingerprints.of(finding, &sources),
                "location": {
                    "path": finding.path.to_string_lossy().replace('\\', "/"),
                    "lines": lines,
                },
            })
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)?;
    // The format has no place for errors.
    report.errors.iter().try_for_each(|error| write_error(error, err))
}
