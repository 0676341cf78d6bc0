//! Runs what is asked for, and keeps each report, so that the page can be written from runs of different days.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use e2e::Case;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::parts::Part;
use super::seeds;
use super::tools::{self, NO_TRIALS, Run, Said, Tool};
use crate::patches::measure;

pub struct Bench {
    /// `None` to run nothing.
    pub tool: Option<e2e::Tool>,
    /// Folder for the reports.
    pub kept: PathBuf,
    /// The parts that are run; the others are taken from what is kept.
    pub parts: Vec<Part>,
    /// Also take what is kept of the parts that are run.
    pub resume: bool,
    pub no_trials: bool,
}

/// A report as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    seconds: f64,
    /// Whether changes were tried.
    #[serde(default)]
    trials: bool,
    report: Value,
}

/// What a script with the first patch came to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Patched {
    /// The patch, as in the report.
    fix: Value,
    pub verdict: String,
}

impl Bench {
    /// What a tool says of a script; `None` when this is neither kept nor asked for.
    pub fn ask(&self, tool: &Tool, case: &Case, script: &str) -> anyhow::Result<Option<Said>> {
        let Some(run) = &tool.run else {
            return tools::last_layer(&case.folder.join(script)).map(Some);
        };
        let trials = run.trials() && !self.no_trials;
        let name = format!("{}-{}-{script}.json", case.name(), tool.key);
        self.report(run.part, &name, trials, |measured| {
            // Kept for `deeplocalize analyze`, which says what another analysis makes of the same training.
            let trace = self.kept.join(&name).with_extension("npz");
            start(measured, run, &case.folder, script, trials, Some(&trace))
        })
    }

    /// What the default detector says of a script with its own seed and with others, in the order of seeds.
    pub fn ask_with_seeds(&self, case: &Case, script: &str, count: u32) -> anyhow::Result<Option<Vec<Said>>> {
        let run = Run {
            part: Part::Seeds,
            backend: "tensorflow",
            arguments: &[NO_TRIALS],
        };
        let mut all = Vec::new();
        for number in 0..count {
            let name = format!("{}-seed-{number}-{script}.json", case.name());
            let said = self.report(run.part, &name, false, |measured| {
                let copy = self.kept.join(format!("seeds/{}-{number}", case.name()));
                seeds::copy(&case.folder, script, number, &copy)?;
                start(measured, &run, &copy, script, false, None)
            })?;
            match said {
                Some(said) => all.push(said),
                None => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// Verdict on the script with this patch.
    pub fn ask_of_patched(&self, case: &Case, fix: &Value) -> anyhow::Result<Option<Patched>> {
        let file = self.kept.join(format!("{}-patched.json", case.name()));
        let Some(tool) = self.running(Part::Patched) else {
            return Ok(read_patched(&file, fix));
        };
        if let Some(earlier) = read_patched(&file, fix).filter(|_| self.resume) {
            return Ok(Some(earlier));
        }
        let copy = self.kept.join("patched").join(case.name());
        let patched = Patched {
            verdict: measure::patched(tool, case, fix, &copy)?,
            fix: fix.clone(),
        };
        self.keep(&file, &patched)?;
        Ok(Some(patched))
    }

    fn running(&self, part: Part) -> Option<&e2e::Tool> {
        self.tool.as_ref().filter(|_| self.parts.contains(&part))
    }

    fn report(
        &self,
        part: Part,
        name: &str,
        trials: bool,
        run: impl FnOnce(&e2e::Tool) -> anyhow::Result<Value>,
    ) -> anyhow::Result<Option<Said>> {
        let file = self.kept.join(name);
        let kept = || -> Option<Kept> { serde_json::from_slice(&fs::read(&file).ok()?).ok() };
        let said = |kept: Kept| tools::read(kept.report, kept.seconds, kept.trials);
        let Some(tool) = self.running(part) else {
            return Ok(kept().map(said));
        };
        // A run without trials says less than one with them, not the other way round.
        if let Some(earlier) = kept().filter(|kept| self.resume && (kept.trials || !trials)) {
            return Ok(Some(said(earlier)));
        }
        fs::create_dir_all(&self.kept)?;
        let start = Instant::now();
        let report = run(tool)?;
        let new = Kept {
            seconds: start.elapsed().as_secs_f64(),
            trials,
            report,
        };
        self.keep(&file, &new)?;
        Ok(Some(said(new)))
    }

    fn keep(&self, file: &Path, what: &impl Serialize) -> anyhow::Result<()> {
        fs::create_dir_all(&self.kept)?;
        fs::write(file, serde_json::to_string(what)?)
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

/// What is kept of the patched script, if it is of this patch.
fn read_patched(file: &Path, fix: &Value) -> Option<Patched> {
    let patched: Patched = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    (patched.fix["edits"] == fix["edits"]).then_some(patched)
}

fn start(
    tool: &e2e::Tool,
    run: &Run,
    folder: &Path,
    script: &str,
    trials: bool,
    trace: Option<&Path>,
) -> anyhow::Result<Value> {
    let mut all: Vec<&OsStr> = ["--no-progress", "--max-seconds", "300"].map(OsStr::new).into();
    if let Some(trace) = trace {
        all.extend([OsStr::new("--trace"), trace.as_os_str()]);
    }
    if !trials && run.trials() {
        all.push(OsStr::new(NO_TRIALS));
    }
    all.extend(run.arguments.iter().map(OsStr::new));
    all.push(OsStr::new(script));
    Ok(tool.run_json(run.backend, folder, &all)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What a part comes to, and whether it was run for that.
    fn verdict(bench: &Bench, part: Part, trials: bool) -> (Option<String>, bool) {
        let mut ran = false;
        let said = bench.report(part, "case.json", trials, |_| {
            ran = true;
            Ok(json!({"verdict": "new", "findings": []}))
        });
        (said.unwrap().map(|said| said.verdict), ran)
    }

    #[test]
    fn only_what_is_asked_for_and_not_kept_is_run() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = e2e::Tool {
            binary: "nowhere".into(),
            python: "nowhere".into(),
        };
        let mut bench = Bench {
            tool: None,
            kept: folder.path().join("kept"),
            parts: vec![Part::Default],
            resume: true,
            no_trials: false,
        };
        let new = Some("new".to_owned());
        assert_eq!(verdict(&bench, Part::Default, true), (None, false));
        bench.tool = Some(nowhere);
        assert_eq!(
            verdict(&bench, Part::Jax, false),
            (None, false),
            "another part is not run"
        );
        assert_eq!(verdict(&bench, Part::Default, false), (new.clone(), true));
        assert_eq!(verdict(&bench, Part::Default, false), (new.clone(), false));
        assert_eq!(
            verdict(&bench, Part::Default, true),
            (new.clone(), true),
            "a run without trials is none with them"
        );
        assert_eq!(verdict(&bench, Part::Default, false), (new.clone(), false));
        bench.resume = false;
        assert_eq!(verdict(&bench, Part::Default, true), (new.clone(), true));
        assert_eq!(verdict(&bench, Part::Jax, false), (new, false));
    }

    #[test]
    fn a_kept_verdict_is_of_one_patch() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("patched.json");
        let fix = json!({"title": "Use Adam", "edits": [{"new_text": "Adam()"}]});
        let patched = Patched {
            fix: fix.clone(),
            verdict: "healthy".to_owned(),
        };
        fs::write(&file, serde_json::to_string(&patched).unwrap()).unwrap();
        assert_eq!(read_patched(&file, &fix).unwrap().verdict, "healthy");
        let other = json!({"title": "Use Adam", "edits": [{"new_text": "Adam(0.01)"}]});
        assert!(read_patched(&file, &other).is_none());
    }
}
