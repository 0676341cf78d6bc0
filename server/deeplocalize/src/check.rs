//! The quick check: text → program → rules → findings, for one text or many files. Nothing is run.

mod read;
mod walk;

use std::collections::BTreeMap;
use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use finding::{Finding, Severity, Verdict};
use program::Program;
use rayon::prelude::*;

use crate::report::{Report, ToolError};
use crate::text::SourceText;

/// Largest file that is read.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// What the check of one text found.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    /// Most severe and most certain first, then in source order.
    pub findings: Vec<Finding>,
    /// Why the text could not be checked, or not all of it.
    pub errors: Vec<ToolError>,
}

/// Checks one text. `path` is put into findings and errors as it is.
pub fn check_text(path: &Path, text: &str) -> FileReport {
    // A mistake of ours must not take the other files, or the language server, with it.
    std::panic::catch_unwind(AssertUnwindSafe(|| analyse(path, text))).unwrap_or_else(|_| FileReport {
        findings: Vec::new(),
        errors: vec![ToolError {
            code: "internal-error".into(),
            message: format!("the check of {} failed inside DeepLocalize", path.display()),
            path: Some(path.to_owned()),
            hint: "this is a bug of DeepLocalize; please report it with the file".into(),
        }],
    })
}

fn analyse(path: &Path, text: &str) -> FileReport {
    let program = Program::parse(text);
    let mut findings = rules::check(&program, text, path);
    findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then(b.confidence.total_cmp(&a.confidence))
    });
    let errors = syntax_error(path, text, &program.syntax_errors);
    FileReport {
        findings,
        errors: errors.into_iter().collect(),
    }
}

/// One error per file: what follows the first place is often only its consequence.
fn syntax_error(path: &Path, text: &str, errors: &[program::SyntaxError]) -> Option<ToolError> {
    let first = errors.first()?;
    let (line, column) = SourceText::new(text).line_column(first.range.start);
    let more = match errors.len() {
        1 => String::new(),
        2 => " (and at 1 more place)".into(),
        count => format!(" (and at {} more places)", count - 1),
    };
    Some(ToolError {
        code: "syntax-error".into(),
        message: format!("{}:{line}:{column}: {}{more}", path.display(), first.message),
        path: Some(path.to_owned()),
        hint: "the rest of the file was checked; run it again when this is mended".into(),
    })
}

/// Standard input as a file.
#[derive(Debug)]
pub struct Stdin<R> {
    /// Where its text comes from.
    pub reader: R,
    /// The name it is reported by.
    pub name: PathBuf,
}

/// Checks files, folders and, for `-`, standard input. A file that is named is always checked; in folders, files
/// that Git ignores and virtual environments are passed over, and a file that never mentions Keras counts as looked at without being parsed.
pub fn check_paths<R: Read>(paths: &[PathBuf], stdin: Stdin<R>) -> Report {
    let (inputs, mut errors) = walk::inputs(paths);
    let mut report = Report {
        verdict: Verdict::Healthy,
        files: inputs.iter().map(|input| input.path.clone()).collect(),
        run: None,
        findings: Vec::new(),
        errors: Vec::new(),
        texts: BTreeMap::new(),
    };
    // Standard input is one stream: it is read here, the files are shared out.
    let mut checked: Vec<Checked> = inputs
        .par_iter()
        .filter(|input| input.origin != walk::Origin::Stdin)
        .map(|input| check_file(&input.path, input.origin == walk::Origin::Found))
        .collect();
    let position = inputs
        .iter()
        .position(|input| input.origin == walk::Origin::Stdin);
    if let Some(position) = position {
        if let Some(file) = report.files.get_mut(position) {
            file.clone_from(&stdin.name);
        }
        checked.insert(position, check_reader(stdin.reader, &stdin.name, false));
    }
    for checked in checked {
        if let (Some(text), false) = (checked.text, checked.report.findings.is_empty()) {
            report.texts.insert(checked.path, text);
        }
        report.findings.extend(checked.report.findings);
        errors.extend(checked.report.errors);
    }
    report.errors = errors;
    report.verdict = verdict(&report);
    report
}

fn verdict(report: &Report) -> Verdict {
    let faulty = |finding: &Finding| finding.severity >= Severity::Warning;
    if report.findings.iter().any(faulty) {
        Verdict::Faulty
    } else if report.files.is_empty() || !report.errors.is_empty() {
        Verdict::Inconclusive
    } else {
        Verdict::Healthy
    }
}

/// A file, its text as far as it could be read, and what was found in it.
struct Checked {
    path: PathBuf,
    text: Option<String>,
    report: FileReport,
}

fn check_file(path: &Path, only_keras: bool) -> Checked {
    match read::open(path) {
        Ok(file) => check_reader(file, path, only_keras),
        Err(error) => Checked {
            path: path.to_owned(),
            text: None,
            report: FileReport {
                findings: Vec::new(),
                errors: vec![error],
            },
        },
    }
}

fn check_reader(reader: impl Read, path: &Path, only_keras: bool) -> Checked {
    let (text, report) = match read::text(reader, path, only_keras) {
        Ok(Some(text)) => {
            let report = check_text(path, &text);
            (Some(text), report)
        }
        Ok(None) => (None, FileReport::default()),
        Err(error) => (
            None,
            FileReport {
                findings: Vec::new(),
                errors: vec![error],
            },
        ),
    };
    Checked {
        path: path.to_owned(),
        text,
        report,
    }
}
