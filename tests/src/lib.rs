//! Helpers shared by the end-to-end tests: the fixtures, and the tool run as a user runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

/// What a fixture's `case.toml` says.
#[derive(Debug, Deserialize)]
pub struct Case {
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

/// The tool, started in `folder`, without the caller's Python environment.
pub fn tool(folder: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(binary()?);
    command
        .current_dir(folder)
        .env_remove("VIRTUAL_ENV")
        .env_remove("CONDA_PREFIX");
    Ok(command)
}

/// `deeplocalize run --output-format json SCRIPT` with the test interpreter.
pub fn run_json(folder: &Path, arguments: &[&str]) -> anyhow::Result<(Value, Output)> {
    run_json_on("tensorflow", folder, arguments)
}

/// The same with Keras on this back end.
pub fn run_json_on(backend: &str, folder: &Path, arguments: &[&str]) -> anyhow::Result<(Value, Output)> {
    let output = tool(folder)?
        .env("KERAS_BACKEND", backend)
        .args(["run", "--output-format", "json", "--python"])
        .arg(python()?)
        .args(arguments)
        .output()
        .context("cannot start the tool")?;
    let report = serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "{arguments:?} printed no JSON: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    Ok((report, output))
}

/// `file:line` of the first finding.
pub fn first_place(report: &Value) -> Option<String> {
    let finding = report["findings"].get(0)?;
    let name = Path::new(finding["path"].as_str()?)
        .file_name()?
        .to_string_lossy()
        .into_owned();
    Some(format!("{name}:{}", finding["range"]["start"]["line"]))
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
