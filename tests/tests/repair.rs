//! Changes tried on real scripts: what is offered, what it does, and that the patched script learns.
#![cfg(feature = "keras")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Output;

use e2e::{alarms, python, root, run_json, tool};

/// More than the search needs on a machine that is busy with other tests; it ends when nothing is left to try.
const TRY_SECONDS: &str = "60";

fn case(id: &str) -> std::path::PathBuf {
    let set = root().join("fixtures/deeplocalize-40");
    std::fs::read_dir(set)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(id))
        .unwrap()
}

fn fix(folder: &Path, arguments: &[&str]) -> Output {
    tool(folder)
        .unwrap()
        .args(["fix", "--no-progress", "--try-seconds", TRY_SECONDS, "--python"])
        .arg(python().unwrap())
        .args(arguments)
        .output()
        .unwrap()
}

/// The measured effect of the first fix of the first finding.
fn effect(report: &serde_json::Value) -> (f64, f64) {
    let trial = &report["findings"][0]["fixes"][0]["trial"];
    let number = |name: &str| trial[name].as_f64().unwrap_or(f64::NAN);
    (number("before"), number("after"))
}

#[test]
fn a_patch_with_its_effect_is_offered_applied_and_works() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("train.py");
    let faulty = std::fs::read_to_string(case("48385830").join("faulty.py")).unwrap();
    std::fs::write(&script, &faulty).unwrap();

    let shown = fix(folder.path(), &["train.py"]);
    let diff = String::from_utf8_lossy(&shown.stdout);
    assert_eq!(shown.status.code(), Some(1), "{shown:?}");
    assert!(
        diff.starts_with("--- train.py") && diff.contains("learning_rate"),
        "{diff}"
    );
    assert_eq!(
        std::fs::read_to_string(&script).unwrap(),
        faulty,
        "nothing was written"
    );

    let applied = fix(folder.path(), &["--apply", "--check", "train.py"]);
    let said = String::from_utf8_lossy(&applied.stderr);
    assert_eq!(applied.status.code(), Some(0), "{said}");
    // Ten classes, judged on held-out rows: guessing is right in about a tenth of them.
    let (before, after) = said
        .split_once(": accuracy ")
        .and_then(|(_, effect)| effect.split_once(" → "))
        .map(|(before, rest)| (before, rest.split(' ').next().unwrap()))
        .unwrap();
    let number = |text: &str| text.parse::<f64>().unwrap();
    assert!(number(before) < 0.15 && number(after) > 0.9, "{said}");
    assert!(said.contains("the patched script learns"), "{said}");
    let (report, _) = run_json(folder.path(), &["train.py"]).unwrap();
    assert_eq!(report["verdict"], "healthy", "{:#}", report["findings"]);
    assert!(alarms(&report).is_empty(), "{:#}", report["findings"]);
    assert!(
        report["run"]["tried"].is_null(),
        "a script that learns needs no trials"
    );
}

#[test]
fn several_changes_that_only_help_together_are_found() {
    let (report, _) = run_json(&case("33969059"), &["--try-seconds", TRY_SECONDS, "faulty.py"]).unwrap();
    let (before, after) = effect(&report);
    assert!(before < 0.1 && after > 0.5, "{:#}", report["findings"]);
    assert_eq!(report["run"]["tried"]["mechanism"], "imperative");
    let edits = report["findings"][0]["fixes"][0]["edits"].as_array().unwrap();
    assert!(edits.len() >= 3, "{edits:#?}");
}

#[test]
fn features_are_scaled_in_the_idiom_of_the_script_and_tried_in_its_own_keras() {
    let options = [
        "--mechanism",
        "callback",
        "--try-seconds",
        TRY_SECONDS,
        "faulty.py",
    ];
    let (report, _) = run_json(&case("39525358"), &options).unwrap();
    assert_eq!(report["run"]["tried"]["mechanism"], "callback");
    let (before, after) = effect(&report);
    assert!(before < 0.75 && after > 0.9, "{:#}", report["findings"]);
    let edits = report["findings"][0]["fixes"][0]["edits"].to_string();
    assert!(edits.contains("StandardScaler().fit_transform(X)"), "{edits}");
}
