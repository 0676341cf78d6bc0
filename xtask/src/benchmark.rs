//! `cargo xtask bench --benchmark`: every record of the benchmark by the default detector, by the paper's algorithm and by a
//! tool that always blames the last layer, beside the published figures. Writes docs/benchmark.md.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::python;
use crate::shell::{release_binary, root};

/// Publications with figures for the same cases: key in `published.toml`, name in the table.
const PUBLISHED: [(&str, &str); 5] = [
    ("deeplocalize", "DeepLocalize"),
    ("deepdiagnosis", "DeepDiagnosis"),
    ("autotrainer", "AUTOTRAINER"),
    ("umlaut", "UMLAUT"),
    ("deepfd", "DeepFD"),
];

#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    verdict: String,
    kinds: Vec<String>,
    accept: Vec<String>,
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Published {
    case: Vec<PublishedCase>,
}

#[derive(Debug, Deserialize)]
struct PublishedCase {
    id: String,
    #[serde(flatten)]
    results: BTreeMap<String, Value>,
}

/// What one tool says of one program.
#[derive(Debug, Default)]
struct Said {
    verdict: String,
    line: Option<u64>,
    kind: String,
    alarm: bool,
    seconds: f64,
}

/// How often a tool was right.
#[derive(Debug, Default)]
struct Score {
    faulty: usize,
    detected: usize,
    accepted: usize,
    quiet: usize,
    quiet_of: usize,
}

/// Runs the benchmark (only cases whose folder name holds `only`, if given); writes the page when all were run.
pub fn run(only: Option<&str>) -> anyhow::Result<()> {
    let binary = release_binary()?;
    let python = python::environment()?;
    let cases: Vec<Case> = cases()?
        .into_iter()
        .filter(|case| only.is_none_or(|only| name(case).contains(only)))
        .collect();
    let published = published()?;
    let mut rows = String::new();
    let mut scores: [Score; 3] = Default::default();
    for case in &cases {
        let default = said(&binary, &python, case, "faulty.py", &[])?;
        let paper = said(
            &binary,
            &python,
            case,
            "faulty.py",
            &["--detector", "deeplocalize"],
        )?;
        let trivial = last_layer(&case.folder.join("faulty.py"))?;
        let told = [&default, &paper, &trivial];
        let twin = match case.folder.join("fixed.py").exists() {
            true => Some([
                said(&binary, &python, case, "fixed.py", &[])?,
                said(
                    &binary,
                    &python,
                    case,
                    "fixed.py",
                    &["--detector", "deeplocalize"],
                )?,
                last_layer(&case.folder.join("fixed.py"))?,
            ]),
            false => None,
        };
        for (at, score) in scores.iter_mut().enumerate() {
            let said = told[at];
            if case.verdict == "healthy" {
                score.quiet_of += 1;
                score.quiet += usize::from(!said.alarm);
            } else {
                score.faulty += 1;
                score.detected += usize::from(said.alarm);
                score.accepted += usize::from(accepted(case, said, at == 0));
            }
            if let Some(twin) = &twin {
                score.quiet_of += 1;
                score.quiet += usize::from(!twin[at].alarm);
            }
        }
        let cell = |said: &Said, kinds: bool| {
            let line = said.line.map_or_else(|| "–".to_owned(), |line| line.to_string());
            let mark = match (case.verdict.as_str(), accepted(case, said, kinds), said.alarm) {
                ("healthy", _, false) => "quiet",
                ("healthy", _, true) => "**alarm**",
                (_, true, _) => "accepted",
                (_, false, true) => "elsewhere",
                (_, false, false) => "missed",
            };
            format!("{} {line} {} {mark}", said.verdict, said.kind)
        };
        let quiet = |at: usize| match &twin {
            None => "–",
            Some(twin) if twin[at].alarm => "**alarm**",
            Some(_) => "quiet",
        };
        let mut row = format!(
            "| {} | {} | {} | {:.1} | {} | {} | {} |",
            name(case),
            cell(&default, true),
            quiet(0),
            default.seconds,
            cell(&paper, false),
            quiet(1),
            trivial
                .line
                .map_or_else(|| "–".to_owned(), |line| line.to_string()),
        );
        let known = published.iter().find(|known| known.id == case.id);
        for (key, _) in PUBLISHED {
            let result = known.and_then(|known| known.results.get(key));
            let part = |name: &str| {
                result
                    .and_then(|result| result.get(name))
                    .and_then(Value::as_bool)
            };
            row.push_str(match (part("identified"), part("localised")) {
                (None, _) => " |",
                (Some(false), _) => " missed |",
                (_, Some(true)) => " localised |",
                (Some(true), _) => " identified |",
            });
        }
        println!("{row}");
        rows.push_str(&row);
        rows.push('\n');
    }
    let page = page(&rows, &scores);
    println!("\n{page}");
    if only.is_none() {
        std::fs::write(root().join("docs/benchmark.md"), page).context("cannot write docs/benchmark.md")?;
    }
    Ok(())
}

fn page(rows: &str, scores: &[Score; 3]) -> String {
    let mut page = String::from(
        "# The DeepLocalize benchmark\n\nWritten by `cargo xtask bench --benchmark`. The programs are rebuilt in [`fixtures/deeplocalize-40`](../fixtures/deeplocalize-40) on \
         small data; a place is accepted as their `case.toml` says (line and kind for the default detector, the line alone for the others). \
         Published figures are those of the papers, on the original programs: other data, other Keras, other machines.\n\n\
         | tool | faulty programs called faulty | accepted place first | fixed twins and controls without alarm |\n| --- | --- | --- | --- |\n",
    );
    let tools = [
        "deeplocalize run",
        "deeplocalize run --detector deeplocalize (the paper's algorithm)",
        "always the last layer",
    ];
    for (tool, score) in tools.iter().zip(scores) {
        let _ = writeln!(
            page,
            "| {tool} | {} of {} | {} of {} | {} of {} |",
            score.detected, score.faulty, score.accepted, score.faulty, score.quiet, score.quiet_of
        );
    }
    let names: Vec<&str> = PUBLISHED.iter().map(|(_, name)| *name).collect();
    let _ = write!(
        page,
        "\nVerdict, first line and kind on the faulty program; alarm (a warning or an error) on its fixed twin; seconds from start to verdict.\n\n\
         | case | default | twin | seconds | paper's algorithm | twin | last layer | {} |\n|{}\n{rows}",
        names.join(" | "),
        " --- |".repeat(7 + names.len())
    );
    page
}

fn name(case: &Case) -> String {
    case.folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn accepted(case: &Case, said: &Said, kinds: bool) -> bool {
    let place = said
        .line
        .is_some_and(|line| case.accept.contains(&format!("faulty.py:{line}")));
    place && said.alarm && (!kinds || case.kinds.contains(&said.kind))
}

fn said(binary: &Path, python: &Path, case: &Case, script: &str, more: &[&str]) -> anyhow::Result<Said> {
    let start = Instant::now();
    let output = Command::new(binary)
        .current_dir(&case.folder)
        .args([
            "run",
            "--no-progress",
            "--output-format",
            "json",
            "--max-seconds",
            "300",
            "--python",
        ])
        .arg(python)
        .args(more)
        .arg(script)
        .stdin(Stdio::null())
        .output()?;
    let report: Value = serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "{} of {}: no JSON: {}",
            script,
            name(case),
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    let first = &report["findings"][0];
    let alarming = |finding: &Value| matches!(finding["severity"].as_str(), Some("error" | "warning"));
    let alarm = report["findings"]
        .as_array()
        .is_some_and(|findings| findings.iter().any(alarming));
    Ok(Said {
        verdict: report["verdict"].as_str().unwrap_or_default().to_owned(),
        line: first["range"]["start"]["line"].as_u64().filter(|_| alarm),
        kind: first["kind"]
            .as_str()
            .filter(|_| alarm)
            .unwrap_or_default()
            .to_owned(),
        alarm,
        seconds: start.elapsed().as_secs_f64(),
    })
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

fn cases() -> anyhow::Result<Vec<Case>> {
    let set = root().join("fixtures/deeplocalize-40");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&set)? {
        let folder = entry?.path();
        if !folder.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(folder.join("case.toml"))?;
        let case: Case = toml::from_str(&text).with_context(|| format!("{}/case.toml", folder.display()))?;
        cases.push(Case { folder, ..case });
    }
    cases.sort_by(|a, b| a.folder.cmp(&b.folder));
    ensure!(!cases.is_empty(), "no cases in {}", set.display());
    Ok(cases)
}

fn published() -> anyhow::Result<Vec<PublishedCase>> {
    let path = root().join("fixtures/deeplocalize-40/published.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(toml::from_str::<Published>(&text).context("published.toml")?.case)
}
