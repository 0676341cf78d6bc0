//! The quick check: text → program → rules → findings, for one text or many files. Nothing is run.

mod fix;
pub mod notebook;
mod pool;
pub mod read;
pub(crate) mod script;
mod walk;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use finding::{Applicability, Finding, Severity, Verdict};
use program::Program;

use crate::config::{Configuration, Settings};
use crate::report::{Report, ToolError};
use crate::suppress;
use crate::text::SourceText;
use script::Script;

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

impl FileReport {
    fn failed(error: ToolError) -> Self {
        FileReport {
            findings: Vec::new(),
            errors: vec![error],
        }
    }
}

/// Longest time the check of one file may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Checks one text under the settings that hold for it. `path` is put into findings and errors as it is.
pub fn check_text(path: &Path, text: &str, settings: &Settings) -> FileReport {
    // A mistake of ours must not take the other files, or the language server, with it.
    std::panic::catch_unwind(AssertUnwindSafe(|| analyse(path, text, settings))).unwrap_or_else(|_| {
        FileReport::failed(read::error(
            "internal-error",
            path,
            format!("the check of {} failed inside DeepLocalize", path.display()),
            "this is a bug of DeepLocalize; please report it with the file",
        ))
    })
}

fn analyse(path: &Path, text: &str, settings: &Settings) -> FileReport {
    let program = Program::parse(text);
    let errors = syntax_error(path, text, &program.syntax_errors);
    FileReport {
        findings: findings(path, text, &program, settings),
        errors: errors.into_iter().collect(),
    }
}

/// What the rules find that settings and comments let through: most severe and most certain first, then in source order.
pub fn findings(path: &Path, text: &str, program: &Program, settings: &Settings) -> Vec<Finding> {
    let mut findings = rules::check(program, text, path);
    settings.apply(&mut findings);
    suppress::apply(text, || program.layout(), &mut findings);
    findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then(b.confidence.total_cmp(&a.confidence))
    });
    findings
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

/// What is to be done with the fixes of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixOptions {
    /// The least safe fixes that are applied.
    pub least: Applicability,
    /// Whether the files are changed, or only what they would become is told.
    pub write: bool,
}

/// A file that fixes change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedFile {
    /// Its path.
    pub path: PathBuf,
    /// Its content before.
    pub before: String,
    /// Its content after.
    pub after: String,
    /// Codes of the findings whose fixes were applied.
    pub applied: Vec<&'static str>,
}

/// Result of a check.
#[derive(Debug)]
pub struct Checks {
    /// What was found; in files that fixes change, what is left.
    pub report: Report,
    /// The files that fixes change.
    pub fixed: Vec<FixedFile>,
    /// Standard input with its fixes, where it was read.
    pub stdin: Option<String>,
}

/// Checks files, folders and, for `-`, standard input. A file that is named is always checked; in folders, files
/// that Git or the settings exclude and virtual environments are passed over, and a file that never mentions Keras counts as looked at without being parsed.
pub fn check_paths<R: Read>(
    paths: &[PathBuf],
    stdin: Stdin<R>,
    configuration: &Arc<Configuration>,
    fix: Option<FixOptions>,
) -> Checks {
    let (mut inputs, mut errors) = walk::inputs(paths, configuration);
    // Standard input is one stream: it is read here, the files are shared out.
    let stdin_at = inputs
        .iter()
        .position(|input| input.origin == walk::Origin::Stdin);
    let mut from_stdin = None;
    if let Some(input) = stdin_at.and_then(|at| inputs.get_mut(at)) {
        from_stdin = Some(read::text(stdin.reader, &stdin.name, false));
        input.path = stdin.name;
    }
    let files: Vec<PathBuf> = inputs.iter().map(|input| input.path.clone()).collect();
    let (count, configuration_of_files) = (inputs.len(), Arc::clone(configuration));
    let checked = pool::each(count, TIME_LIMIT, move |number| {
        let input = inputs.get(number)?;
        let text = match &from_stdin {
            Some(text) if input.origin == walk::Origin::Stdin => text.clone(),
            _ => read::open(&input.path)
                .and_then(|file| read::text(file, &input.path, input.origin == walk::Origin::Found)),
        };
        Some(check_file(input, text, &configuration_of_files, fix))
    });
    errors.extend(configuration.take_errors());
    let (mut fixed, mut fixed_stdin) = (Vec::new(), None);
    let mut report = Report {
        verdict: Verdict::Healthy,
        files,
        run: None,
        findings: Vec::new(),
        errors,
        texts: BTreeMap::new(),
        cells: BTreeMap::new(),
        trace: None,
    };
    for (number, checked) in checked.into_iter().enumerate() {
        let Some(path) = report.files.get(number).cloned() else {
            continue;
        };
        let checked = checked
            .flatten()
            .unwrap_or_else(|| Checked::failed(too_slow(&path)));
        if stdin_at == Some(number) {
            fixed_stdin = checked.script.as_ref().map(Script::file);
        }
        if let (Some(script), false) = (checked.script, checked.report.findings.is_empty()) {
            report
                .cells
                .extend(script.cells().map(|cells| (path.clone(), cells)));
            report.texts.insert(path, script.program().to_owned());
        }
        report.findings.extend(checked.report.findings);
        report.errors.extend(checked.report.errors);
        fixed.extend(checked.fixed);
    }
    report.verdict = verdict(&report);
    Checks {
        report,
        fixed,
        stdin: fixed_stdin,
    }
}

fn too_slow(path: &Path) -> ToolError {
    read::error(
        "too-slow",
        path,
        format!("the check of {} took longer than {TIME_LIMIT:?}", path.display()),
        "this is a bug of DeepLocalize; please report it with the file",
    )
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

/// What became of a file.
struct Checked {
    script: Option<Script>,
    report: FileReport,
    fixed: Option<FixedFile>,
}

impl Checked {
    fn failed(error: ToolError) -> Self {
        Checked {
            script: None,
            report: FileReport::failed(error),
            fixed: None,
        }
    }
}

fn check_file(
    input: &walk::Input,
    text: Result<Option<read::Text>, ToolError>,
    configuration: &Configuration,
    fix: Option<FixOptions>,
) -> Checked {
    let path = &input.path;
    let script = match text {
        Ok(Some(text)) => Script::new(path, text),
        Ok(None) => {
            return Checked {
                script: None,
                report: FileReport::default(),
                fixed: None,
            };
        }
        Err(error) => Err(error),
    };
    let script = match script {
        Ok(script) => script,
        Err(error) => return Checked::failed(error),
    };
    let settings = configuration.of(path);
    let mut report = check_text(path, script.program(), &settings);
    if let Some(options) = fix
        && let Some(fixed) = fix::fix(path, &script, &report, &settings, options.least)
    {
        let file = FixedFile {
            path: path.clone(),
            before: script.file(),
            after: fixed.script.file(),
            applied: fixed.applied,
        };
        let written = if options.write && input.origin != walk::Origin::Stdin {
            write::replace(path, file.before.as_bytes(), file.after.as_bytes())
        } else {
            Ok(())
        };
        match written {
            Ok(()) => {
                return Checked {
                    script: Some(fixed.script),
                    report: fixed.report,
                    fixed: Some(file),
                };
            }
            Err(error) => report.errors.push(read::error(
                "cannot-fix",
                path,
                format!("cannot write {}: {error}", path.display()),
                "the file is as it was",
            )),
        }
    }
    Checked {
        script: Some(script),
        report,
        fixed: None,
    }
}
