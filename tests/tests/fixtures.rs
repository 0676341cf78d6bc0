//! Runs the tool on every fixture: the right line on each faulty program, silence on each fixed twin.
#![cfg(feature = "keras")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::{Case, alarms, cases, first_place, run_json};

fn check(case: &Case) -> Result<String, String> {
    let name = case
        .folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let told = |what: &str, report: &serde_json::Value| {
        format!(
            "{name}: {what}: verdict {}, findings {:#}",
            report["verdict"], report["findings"]
        )
    };
    let (report, output) =
        run_json(&case.folder, &["faulty.py"]).map_err(|error| format!("{name}: {error:#}"))?;
    if report["verdict"] != case.verdict.as_str() {
        return Err(told("wrong verdict on faulty.py", &report));
    }
    let status = output.status.code();
    if case.verdict == "healthy" {
        if !alarms(&report).is_empty() || status != Some(0) {
            return Err(told("alarm on a healthy program", &report));
        }
    } else {
        let place = first_place(&report).ok_or_else(|| told("no finding", &report))?;
        let kind = report["findings"][0]["kind"].as_str().unwrap_or_default();
        if !case.accept.contains(&place) || !case.kinds.iter().any(|known| known == kind) {
            return Err(told(&format!("{kind} on {place} is not accepted"), &report));
        }
        if status == Some(0) && report["findings"][0]["severity"] == "error" {
            return Err(format!("{name}: exit status 0 with an error"));
        }
    }
    if case.folder.join("fixed.py").exists() {
        let (report, output) =
            run_json(&case.folder, &["fixed.py"]).map_err(|error| format!("{name}: {error:#}"))?;
        if report["verdict"] != "healthy" || !alarms(&report).is_empty() || output.status.code() != Some(0) {
            return Err(told("fixed.py is not called healthy", &report));
        }
    }
    Ok(name)
}

/// Two at a time: a run is mostly TensorFlow importing on one core.
fn check_all(sets: &[&str]) {
    let cases: Vec<Case> = sets.iter().flat_map(|set| cases(set).unwrap()).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match check(case) {
                        Ok(name) => println!("ok {name}"),
                        Err(failure) => failures.lock().unwrap().push(failure),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[test]
fn every_fixture_comes_out_right() {
    check_all(&["deeplocalize-40", "healthy", "crash"]);
}
