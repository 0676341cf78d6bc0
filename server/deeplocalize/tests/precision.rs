//! Quiet on good code: the healthy scripts of `fixtures/precision` carry no error and no warning.

#![allow(
    clippy::unwrap_used,
    reason = "clippy counts only the test functions themselves as tests"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deeplocalize::check::{Stdin, check_paths};
use deeplocalize::config::Configuration;
use deeplocalize::report::Report;
use deeplocalize::text::SourceText;
use finding::{Finding, Severity};

/// The size that the set must not fall below.
const LEAST_SCRIPTS: usize = 80;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/precision")
}

fn describe(report: &Report, finding: &Finding) -> String {
    let text = report.texts.get(&finding.path).unwrap();
    let (line, column) = SourceText::new(text).line_column(finding.range.start);
    format!(
        "{}:{line}:{column}: {} {:?}: {}",
        finding.path.display(),
        finding.code,
        finding.severity,
        finding.message
    )
}

#[test]
fn healthy_scripts_carry_no_error_and_no_warning() {
    let stdin = Stdin {
        reader: std::io::empty(),
        name: PathBuf::new(),
    };
    let configuration = Arc::new(Configuration::isolated());
    let report = check_paths(&[folder()], stdin, &configuration, None).report;
    assert!(
        report.files.len() >= LEAST_SCRIPTS,
        "only {} scripts were looked at",
        report.files.len()
    );
    assert!(report.errors.is_empty(), "{:#?}", report.errors);
    let alarms: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning)
        .map(|finding| describe(&report, finding))
        .collect();
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
}
