//! Runs one program, its patch and its twin.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use e2e::{Case, Tool, alarms};
use serde_json::Value;

use super::edits;
use super::record::{Alarm, FalseAlarm, Record, Trial};
use crate::shell::root;

/// Runs a case that the pages call `name`.
pub fn of(tool: &Tool, name: String, case: &Case) -> anyhow::Result<Record> {
    let start = Instant::now();
    let report = run(tool, &case.folder, "faulty.py", true)?;
    let seconds = start.elapsed().as_secs_f64();
    let fix = first_patch(&report);
    let mut record = Record {
        verdict: case.verdict.clone(),
        said: text(&report["verdict"]),
        seconds,
        mech: report["run"]["mechanism"].as_str().map(str::to_owned),
        patch: fix.map(|fix| text(&fix["title"])),
        trial: fix.and_then(trial),
        after: None,
        alarms: alarms(&report)
            .into_iter()
            .map(|finding| Alarm {
                code: text(&finding["code"]),
                kind: text(&finding["kind"]),
                severity: text(&finding["severity"]),
                confidence: finding["confidence"].as_f64().unwrap_or_default(),
                line: finding["range"]["start"]["line"].as_u64().unwrap_or_default(),
                accepted_place: case.accepts_place(finding),
                accepted_kind: case.accepts_kind(finding),
            })
            .collect(),
        twin: None,
        twin_alarms: Vec::new(),
        twin_patch: false,
        case: name,
    };
    if let Some(fix) = fix {
        let copy = root().join("target/patches").join(record.case.replace('/', "-"));
        record.after = Some(patched(tool, case, fix, &copy)?);
    }
    if case.has_twin() {
        let twin = run(tool, &case.folder, "fixed.py", true)?;
        record.twin = Some(text(&twin["verdict"]));
        record.twin_patch = first_patch(&twin).is_some();
        record.twin_alarms = alarms(&twin)
            .into_iter()
            .map(|finding| FalseAlarm {
                code: text(&finding["code"]),
                severity: text(&finding["severity"]),
                confidence: finding["confidence"].as_f64().unwrap_or_default(),
            })
            .collect();
    }
    Ok(record)
}

/// Verdict on the script with a fix applied, in a copy of its folder.
pub fn patched(tool: &Tool, case: &Case, fix: &Value, copy: &Path) -> anyhow::Result<String> {
    fs::create_dir_all(copy)?;
    for entry in fs::read_dir(&case.folder)? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::copy(&path, copy.join(name))?;
        }
    }
    let script = copy.join("patched.py");
    let before = fs::read_to_string(case.folder.join("faulty.py"))?;
    let after = edits::apply(&before, fix).context("a fix whose edits do not fit the text")?;
    fs::write(script, after)?;
    let report = run(tool, copy, "patched.py", false)?;
    Ok(text(&report["verdict"]))
}

fn run(tool: &Tool, folder: &Path, script: &str, trials: bool) -> anyhow::Result<Value> {
    let trials = if trials { "auto" } else { "never" };
    let trials = format!("--try-fixes={trials}");
    let arguments = ["--no-progress", "--max-seconds", "120", &trials, script];
    Ok(tool.run_json("tensorflow", folder, &arguments)?.0)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The first fix with a measured effect.
pub fn first_patch(report: &Value) -> Option<&Value> {
    let findings = report["findings"].as_array()?.iter();
    findings
        .flat_map(|finding| finding["fixes"].as_array().into_iter().flatten())
        .find(|fix| fix["trial"].is_object())
}

/// Its effect.
pub fn trial(fix: &Value) -> Option<Trial> {
    serde_json::from_value(fix["trial"].clone()).ok()
}
