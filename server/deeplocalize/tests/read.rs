//! Scripts in the manner of published ones, which are only read: quiet on the healthy, right about the faulty.

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

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/read")
        .join(name)
}

fn checked(name: &str) -> Report {
    let stdin = Stdin {
        reader: std::io::empty(),
        name: PathBuf::new(),
    };
    let configuration = Arc::new(Configuration::isolated());
    let report = check_paths(&[folder(name)], stdin, &configuration, None).report;
    assert!(report.errors.is_empty(), "{:#?}", report.errors);
    report
}

/// The script, line and kind of every finding that is at least a warning, with what it says.
fn alarms(report: &Report) -> Vec<(String, &Finding)> {
    let place = |finding: &Finding| {
        let text = report.texts.get(&finding.path).unwrap();
        let (line, _) = SourceText::new(text).line_column(finding.range.start);
        let name = finding.path.file_name().unwrap().to_string_lossy();
        format!("{name}:{line}: {}", finding.kind)
    };
    report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning)
        .map(|finding| (place(finding), finding))
        .collect()
}

#[test]
fn healthy_scripts_carry_no_error_and_no_warning() {
    let report = checked("healthy");
    assert!(report.files.len() >= 55, "only {} scripts", report.files.len());
    let alarms: Vec<String> = alarms(&report)
        .into_iter()
        .map(|(place, finding)| format!("{place}: {}: {}", finding.code, finding.message))
        .collect();
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
}

#[test]
fn faults_are_found_where_they_are() {
    let report = checked("faulty");
    let alarms: Vec<String> = alarms(&report).into_iter().map(|(place, _)| place).collect();
    let expected = std::fs::read_to_string(folder("faulty/expected.txt")).unwrap();
    let missed: Vec<&str> = expected
        .lines()
        .filter(|line| !alarms.iter().any(|alarm| alarm == line))
        .collect();
    assert!(missed.is_empty(), "missed: {missed:#?}\nfound: {alarms:#?}");
    let names: Vec<&str> = expected
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(names.len(), report.files.len(), "every script has its line");
}
