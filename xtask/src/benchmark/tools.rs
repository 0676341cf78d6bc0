//! The tools that are compared, and what one says of one program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use e2e::Case;
use serde_json::{Value, json};

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
    /// File and line (`faulty.py:12`) and kind of the first finding, when there is a warning or an error.
    pub place: Option<String>,
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
        let place = self.place.as_ref();
        self.alarm
            && place.is_some_and(|place| case.accept.contains(place))
            && (!kinds || case.kinds.contains(&self.kind))
    }
}

/// How to run the tools.
pub struct Bench {
    /// `None` to run nothing.
    pub tool: Option<e2e::Tool>,
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
        let tool = self.tool.as_ref();
        let tool = tool.with_context(|| format!("nothing is kept of {script} of {}", case.name()))?;
        let mut all: Vec<&OsStr> = ["--no-progress", "--max-seconds", "300"].map(OsStr::new).into();
        // Kept for `deeplocalize analyze`, which says what another analysis makes of the same training.
        all.extend([OsStr::new("--trace"), trace.as_os_str()]);
        if self.no_trials && !arguments.contains(&"--try-fixes=never") {
            all.push(OsStr::new("--try-fixes=never"));
        }
        all.extend(arguments.iter().map(OsStr::new));
        all.push(OsStr::new(script));
        Ok(tool.run_json("tensorflow", &case.folder, &all)?.0)
    }
}

fn read(report: Value, seconds: f64) -> Said {
    let alarm = !e2e::alarms(&report).is_empty();
    let kind = report["findings"][0]["kind"].as_str().filter(|_| alarm);
    Said {
        verdict: report["verdict"].as_str().unwrap_or_default().to_owned(),
        place: e2e::first_place(&report).filter(|_| alarm),
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
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    Ok(Said {
        verdict: "faulty".to_owned(),
        place: line.map(|(_, number)| format!("{name}:{number}")),
        alarm: true,
        ..Said::default()
    })
}
