//! The tools that are compared, and what one says of one program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context;
use serde_json::{Value, json};

use super::cases::Case;

/// A tool of the table.
pub struct Tool {
    /// For the files that are kept.
    pub key: &'static str,
    /// For the table of totals.
    pub title: &'static str,
    /// Arguments to `deeplocalize run`; `None` for the tool that runs nothing.
    arguments: Option<&'static [&'static str]>,
    /// Whether it names kinds of its own, which then have to be right as well.
    pub kinds: bool,
}

pub const TOOLS: [Tool; 3] = [
    Tool {
        key: "default",
        title: "deeplocalize run",
        arguments: Some(&[]),
        kinds: true,
    },
    Tool {
        key: "paper",
        title: "deeplocalize run --detector deeplocalize (the paper's algorithm)",
        arguments: Some(&[
            "--detector",
            "deeplocalize",
            "--try-fixes=never",
            "--ignore",
            "DL0,DL1,DL2,DL3,DL4,DL5,DL6",
        ]),
        kinds: false,
    },
    Tool {
        key: "last-layer",
        title: "always the last layer",
        arguments: None,
        kinds: false,
    },
];

/// Positions in [`TOOLS`].
pub const DEFAULT: usize = 0;
pub const PAPER: usize = 1;
pub const LAST_LAYER: usize = 2;

/// What one tool says of one program.
#[derive(Debug, Default)]
pub struct Said {
    pub verdict: String,
    /// Line and kind of the first finding, when it is a warning or an error.
    pub line: Option<u64>,
    pub kind: String,
    pub alarm: bool,
    pub seconds: f64,
    /// The whole report; null of the tool that runs nothing.
    #[allow(dead_code, reason = "for columns")]
    pub report: Value,
}

impl Said {
    /// Whether this names an accepted place of a faulty program.
    pub fn accepted(&self, case: &Case, kinds: bool) -> bool {
        let place = |line| case.accept.contains(&format!("faulty.py:{line}"));
        self.alarm && self.line.is_some_and(place) && (!kinds || case.kinds.contains(&self.kind))
    }
}

/// How to run them.
pub struct Bench {
    pub binary: PathBuf,
    pub python: PathBuf,
    /// Folder for the reports.
    pub kept: PathBuf,
    pub resume: bool,
    pub no_trials: bool,
}

impl Bench {
    /// Whether the reports of all tools on a case and its twin are kept.
    pub fn has_all(&self, case: &Case) -> bool {
        let scripts = ["faulty.py", "fixed.py"];
        let there = |script: &&&str| case.folder.join(script).exists();
        let running = TOOLS.iter().filter(|tool| tool.arguments.is_some());
        let mut wanted =
            running.flat_map(|tool| scripts.iter().filter(there).map(move |script| (tool, script)));
        wanted.all(|(tool, script)| self.kept_file(tool, case, script).exists())
    }

    fn kept_file(&self, tool: &Tool, case: &Case, script: &str) -> PathBuf {
        let name = format!("{}-{}-{script}.json", case.name(), tool.key);
        self.kept.join(name)
    }

    pub fn ask(&self, tool: &Tool, case: &Case, script: &str) -> anyhow::Result<Said> {
        let Some(arguments) = tool.arguments else {
            return last_layer(&case.folder.join(script));
        };
        let kept = self.kept_file(tool, case, script);
        let earlier = std::fs::read(&kept).ok().filter(|_| self.resume);
        if let Some(earlier) = earlier.and_then(|text| serde_json::from_slice::<Value>(&text).ok()) {
            return Ok(read(
                earlier["report"].clone(),
                earlier["seconds"].as_f64().unwrap_or_default(),
            ));
        }
        let start = Instant::now();
        std::fs::create_dir_all(&self.kept)?;
        let report = self.run(case, script, arguments, &kept.with_extension("npz"))?;
        let seconds = start.elapsed().as_secs_f64();
        let text = json!({"seconds": seconds, "report": report}).to_string();
        std::fs::write(&kept, text).with_context(|| format!("cannot write {}", kept.display()))?;
        Ok(read(report, seconds))
    }

    fn run(&self, case: &Case, script: &str, arguments: &[&str], trace: &Path) -> anyhow::Result<Value> {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(&case.folder)
            .args(["run", "--no-progress", "--output-format", "json"]);
        command
            .args(["--max-seconds", "300", "--python"])
            .arg(&self.python);
        // Kept for `deeplocalize analyze`, which says what another analysis makes of the same training.
        command.arg("--trace").arg(trace);
        if self.no_trials && !arguments.contains(&"--try-fixes=never") {
            command.arg("--try-fixes=never");
        }
        let output = command
            .args(arguments)
            .arg(script)
            .stdin(Stdio::null())
            .output()?;
        serde_json::from_slice(&output.stdout).with_context(|| {
            let told = String::from_utf8_lossy(&output.stderr);
            format!("{script} of {}: no JSON: {told}", case.name())
        })
    }
}

fn read(report: Value, seconds: f64) -> Said {
    let alarming = |finding: &Value| matches!(finding["severity"].as_str(), Some("error" | "warning"));
    let findings = report["findings"].as_array();
    let alarm = findings.is_some_and(|findings| findings.iter().any(alarming));
    let first = &report["findings"][0];
    let kind = first["kind"].as_str().filter(|_| alarm);
    Said {
        verdict: report["verdict"].as_str().unwrap_or_default().to_owned(),
        line: first["range"]["start"]["line"].as_u64().filter(|_| alarm),
        kind: kind.unwrap_or_default().to_owned(),
        alarm,
        seconds,
        report,
    }
}

/// The tool that needs no idea: the last line before `compile` that makes a layer.
fn last_layer(script: &Path) -> anyhow::Result<Said> {
    const LAYERS: [&str; 6] = [
        "Dense(",
        "Activation(",
        "Conv2D(",
        "LSTM(",
        "Softmax(",
        "Flatten(",
    ];
    let text =
        std::fs::read_to_string(script).with_context(|| format!("cannot read {}", script.display()))?;
    let until = text.find(".compile(").unwrap_or(text.len());
    let line = text[..until]
        .lines()
        .zip(1..)
        .filter(|(line, _)| LAYERS.iter().any(|layer| line.contains(layer)))
        .last();
    Ok(Said {
        verdict: "faulty".to_owned(),
        line: line.map(|(_, number)| number),
        alarm: true,
        ..Said::default()
    })
}
