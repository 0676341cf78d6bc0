//! What the end-to-end tests and the benches of `xtask` share: the fixtures, and the tool run as a user runs it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

/// What a fixture's `case.toml` says.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// The program's number or name where it comes from.
    pub id: String,
    /// Verdict on `faulty.py`.
    pub verdict: String,
    /// Kinds of fault that are right.
    pub kinds: Vec<String>,
    /// Places (`faulty.py:12`) on which the first finding may stand.
    pub accept: Vec<String>,
    /// Folder of the fixture.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl Case {
    /// Name of its folder.
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Whether nothing is wrong with `faulty.py`, or nothing that a run could show: no alarm may be raised.
    pub fn control(&self) -> bool {
        is_control(&self.verdict)
    }

    /// Whether there is a twin without the fault.
    pub fn has_twin(&self) -> bool {
        self.folder.join("fixed.py").exists()
    }

    /// Whether a finding stands on a right line.
    pub fn accepts_place(&self, finding: &Value) -> bool {
        place(finding).is_some_and(|place| self.accept.contains(&place))
    }

    /// Whether a finding names a right kind of fault.
    pub fn accepts_kind(&self, finding: &Value) -> bool {
        self.kinds.iter().any(|kind| finding["kind"] == kind.as_str())
    }
}

/// Whether a program with this verdict in its `case.toml` has no fault that a run could show.
pub fn is_control(verdict: &str) -> bool {
    matches!(verdict, "healthy" | "inconclusive")
}

/// Root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// The fixtures of a set (`deeplocalize-40`), sorted by name.
pub fn cases(set: &str) -> anyhow::Result<Vec<Case>> {
    let folder = root().join("fixtures").join(set);
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let folder = entry?.path();
        if !folder.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(folder.join("case.toml"))
            .with_context(|| format!("{} has no case.toml", folder.display()))?;
        let case: Case = toml::from_str(&text).with_context(|| format!("{}/case.toml", folder.display()))?;
        cases.push(Case { folder, ..case });
    }
    cases.sort_by(|a, b| a.folder.cmp(&b.folder));
    ensure!(!cases.is_empty(), "no fixtures in {}", folder.display());
    Ok(cases)
}

/// A path that `cargo xtask test` hands over.
fn from_environment(name: &str) -> anyhow::Result<PathBuf> {
    let value =
        std::env::var_os(name).with_context(|| format!("{name} is not set; run `cargo xtask test`"))?;
    Ok(PathBuf::from(value))
}

/// The binary under test.
pub fn binary() -> anyhow::Result<PathBuf> {
    from_environment("DEEPLOCALIZE_TEST_BINARY")
}

/// An interpreter with Keras and TensorFlow.
pub fn python() -> anyhow::Result<PathBuf> {
    from_environment("DEEPLOCALIZE_TEST_PYTHON")
}

/// The binary that is run, and the interpreter it is given.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The executable.
    pub binary: PathBuf,
    /// An interpreter with Keras.
    pub python: PathBuf,
}

impl Tool {
    /// Those of the test run.
    pub fn from_environment() -> anyhow::Result<Tool> {
        Ok(Tool {
            binary: binary()?,
            python: python()?,
        })
    }

    /// `deeplocalize run --output-format json` in `folder` with Keras on this back end: the report, and all that was printed.
    pub fn run_json(
        &self,
        backend: &str,
        folder: &Path,
        arguments: &[impl AsRef<OsStr>],
    ) -> anyhow::Result<(Value, Output)> {
        let output = started_in(folder, &self.binary)
            .env("KERAS_BACKEND", backend)
            .args(["run", "--output-format", "json", "--python"])
            .arg(&self.python)
            .args(arguments)
            .output()
            .with_context(|| format!("cannot start {}", self.binary.display()))?;
        let report = serde_json::from_slice(&output.stdout).with_context(|| {
            let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
            format!(
                "{arguments:?} in {} printed no JSON: {}",
                folder.display(),
                String::from_utf8_lossy(&output.stderr)
            )
        })?;
        Ok((report, output))
    }
}

fn started_in(folder: &Path, binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .current_dir(folder)
        .env_remove("VIRTUAL_ENV")
        .env_remove("CONDA_PREFIX");
    command
}

/// The tool, started in `folder`, without the caller's Python environment.
pub fn tool(folder: &Path) -> anyhow::Result<Command> {
    Ok(started_in(folder, &binary()?))
}

/// `deeplocalize run --output-format json SCRIPT` with the test interpreter.
pub fn run_json(folder: &Path, arguments: &[&str]) -> anyhow::Result<(Value, Output)> {
    Tool::from_environment()?.run_json("tensorflow", folder, arguments)
}

/// `file:line` of a finding.
pub fn place(finding: &Value) -> Option<String> {
    let name = Path::new(finding["path"].as_str()?)
        .file_name()?
        .to_string_lossy()
        .into_owned();
    Some(format!("{name}:{}", finding["range"]["start"]["line"]))
}

/// `file:line` of the first finding.
pub fn first_place(report: &Value) -> Option<String> {
    place(report["findings"].get(0)?)
}

/// Findings that are a warning or worse.
pub fn alarms(report: &Value) -> Vec<&Value> {
    let findings = report["findings"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    findings
        .iter()
        .filter(|finding| matches!(finding["severity"].as_str(), Some("error" | "warning")))
        .collect()
}
