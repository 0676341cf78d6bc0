//! What one program came to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::edits;

/// A folder with a faulty program, and mostly its fixed twin.
#[derive(Debug, Deserialize)]
pub struct Case {
    #[serde(skip)]
    pub name: String,
    #[serde(skip)]
    pub folder: PathBuf,
    pub verdict: String,
    #[serde(default)]
    pub kinds: Vec<String>,
    #[serde(default)]
    pub accept: Vec<String>,
}

impl Case {
    pub fn read(set: &str, folder: PathBuf) -> anyhow::Result<Case> {
        let path = folder.join("case.toml");
        let text = std::fs::read_to_string(&path)?;
        let case: Case = toml::from_str(&text).with_context(|| path.display().to_string())?;
        let last = folder.file_name().unwrap_or_default().to_string_lossy();
        Ok(Case {
            name: format!("{set}/{last}"),
            folder: folder.clone(),
            ..case
        })
    }
}

/// A warning or an error, and whether place and kind are accepted ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alarm(
    pub String,
    pub String,
    pub String,
    pub f64,
    pub u64,
    pub bool,
    pub bool,
);

impl Alarm {
    pub fn confidence(&self) -> f64 {
        self.3
    }

    pub fn right(&self) -> bool {
        self.5 && self.6
    }
}

/// A warning or an error on a program without a fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FalseAlarm(pub String, pub String, pub f64);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    pub metric: String,
    pub before: Option<f64>,
    pub after: Option<f64>,
    pub steps: u64,
    pub seeds: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub case: String,
    /// Verdict that is right.
    pub verdict: String,
    /// Verdict of the tool.
    pub said: String,
    pub seconds: f64,
    pub mech: Option<String>,
    /// Title of the first patch with a measured effect.
    pub patch: Option<String>,
    #[serde(default)]
    pub trial: Option<Trial>,
    /// Verdict on the patched script.
    #[serde(default)]
    pub after: Option<String>,
    #[serde(default)]
    pub alarms: Vec<Alarm>,
    /// Verdict on the fixed twin.
    #[serde(default)]
    pub twin: Option<String>,
    #[serde(default)]
    pub twin_alarms: Vec<FalseAlarm>,
    #[serde(default)]
    pub twin_patch: bool,
}

impl Record {
    pub fn faulty(&self) -> bool {
        self.verdict != "healthy"
    }
}

pub fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    let Ok(text) = std::fs::read_to_string(path) else {
        return Ok(Vec::new());
    };
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{}: {line}", path.display())))
        .collect()
}

/// How programs are run.
pub struct Measure {
    pub binary: PathBuf,
    pub python: PathBuf,
}

impl Measure {
    pub fn of(&self, case: &Case) -> anyhow::Result<Record> {
        let start = Instant::now();
        let report = self.run(&case.folder, "faulty.py", true)?;
        let seconds = start.elapsed().as_secs_f64();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fix = first_patch(&report);
        let mut record = Record {
            case: case.name.clone(),
            verdict: case.verdict.clone(),
            said: text(&report["verdict"]),
            seconds,
            mech: report["run"]["mechanism"].as_str().map(str::to_owned),
            patch: fix.map(|fix| text(&fix["title"])),
            trial: fix.and_then(|fix| serde_json::from_value(fix["trial"].clone()).ok()),
            after: None,
            alarms: alarming(&report)
                .map(|finding| {
                    let line = finding["range"]["start"]["line"].as_u64().unwrap_or_default();
                    let kind = text(&finding["kind"]);
                    let known = case.kinds.contains(&kind);
                    Alarm(
                        text(&finding["code"]),
                        kind,
                        text(&finding["severity"]),
                        finding["confidence"].as_f64().unwrap_or_default(),
                        line,
                        case.accept.contains(&format!("faulty.py:{line}")),
                        known,
                    )
                })
                .collect(),
            twin: None,
            twin_alarms: Vec::new(),
            twin_patch: false,
        };
        if let Some(fix) = fix {
            record.after = Some(self.patched(case, fix)?);
        }
        if case.folder.join("fixed.py").exists() {
            let twin = self.run(&case.folder, "fixed.py", true)?;
            record.twin = Some(text(&twin["verdict"]));
            record.twin_patch = first_patch(&twin).is_some();
            record.twin_alarms = alarming(&twin)
                .map(|finding| {
                    let confidence = finding["confidence"].as_f64().unwrap_or_default();
                    FalseAlarm(text(&finding["code"]), text(&finding["severity"]), confidence)
                })
                .collect();
        }
        Ok(record)
    }

    /// Verdict on the script with a fix applied, in a copy of its folder.
    fn patched(&self, case: &Case, fix: &Value) -> anyhow::Result<String> {
        let copy = root_of_copies()?.join(case.name.replace('/', "-"));
        std::fs::create_dir_all(&copy)?;
        for entry in std::fs::read_dir(&case.folder)? {
            let path = entry?.path();
            if let Some(name) = path.file_name().filter(|_| path.is_file()) {
                std::fs::copy(&path, copy.join(name))?;
            }
        }
        let text = std::fs::read_to_string(case.folder.join("faulty.py"))?;
        let patched = edits::apply(&text, fix).context("a fix whose edits do not fit the text")?;
        std::fs::write(copy.join("patched.py"), patched)?;
        let report = self.run(&copy, "patched.py", false)?;
        Ok(report["verdict"].as_str().unwrap_or_default().to_owned())
    }

    fn run(&self, folder: &Path, script: &str, trials: bool) -> anyhow::Result<Value> {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(folder)
            .args([
                "run",
                "--no-progress",
                "--output-format",
                "json",
                "--max-seconds",
                "120",
            ])
            .arg(if trials {
                "--try-fixes=auto"
            } else {
                "--try-fixes=never"
            })
            .arg("--python")
            .arg(&self.python)
            .arg(script)
            .stdin(Stdio::null());
        let output = command.output()?;
        serde_json::from_slice(&output.stdout).with_context(|| {
            let told = String::from_utf8_lossy(&output.stderr);
            format!("{script} in {}: no JSON: {told}", folder.display())
        })
    }
}

fn root_of_copies() -> anyhow::Result<PathBuf> {
    let folder = crate::shell::root().join("target/patches");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn alarming(report: &Value) -> impl Iterator<Item = &Value> {
    let findings = report["findings"].as_array().into_iter().flatten();
    findings.filter(|finding| matches!(finding["severity"].as_str(), Some("error" | "warning")))
}

/// The first fix with a measured effect.
pub fn first_patch(report: &Value) -> Option<&Value> {
    let findings = report["findings"].as_array()?.iter();
    findings
        .flat_map(|finding| finding["fixes"].as_array().into_iter().flatten())
        .find(|fix| fix["trial"].is_object())
}
