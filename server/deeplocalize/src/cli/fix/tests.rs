use clap::Parser;
use finding::{Edit, Kind, Range, Source};

use super::*;
use crate::report::{RunSummary, Tried};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    fix: Fix,
}

const TEXT: &str = "x = 1\n";

/// A fault of a script in `folder` with a safe fix that makes `x = 2` of it.
fn report(folder: &Path) -> Report {
    let script = folder.join("train.py");
    let fix = Patch {
        title: "Use 2".to_owned(),
        applicability: Applicability::Safe,
        edits: vec![Edit {
            path: script.clone(),
            range: Range::new(4, 5),
            new_text: "2".to_owned(),
        }],
        trial: None,
    };
    let finding = Finding {
        code: "DL1",
        name: "one",
        kind: Kind::LearningRate,
        severity: Severity::Warning,
        source: Source::Static,
        path: script.clone(),
        range: Range::new(4, 5),
        layer: None,
        message: "1 is too little".to_owned(),
        evidence: Vec::new(),
        confidence: 1.0,
        fixes: vec![fix],
    };
    Report {
        verdict: Verdict::Faulty,
        findings: vec![finding],
        errors: Vec::new(),
        texts: BTreeMap::from([(script.clone(), TEXT.to_owned())]),
        run: Some(RunSummary::default()),
        ..Report::failed(&script, error(""))
    }
}

fn error(code: &str) -> ToolError {
    ToolError {
        code: code.to_owned(),
        message: String::new(),
        path: None,
        hint: String::new(),
    }
}

/// Exit status, what was printed, and the file afterwards.
fn settled(
    options: &[&str],
    change: impl FnOnce(&mut Report, &Cancel),
    check: impl FnOnce(&Cancel) -> bool,
) -> (Outcome, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("train.py");
    std::fs::write(&script, TEXT).unwrap();
    let (mut report, cancel) = (report(folder.path()), Cancel::default());
    change(&mut report, &cancel);
    let line = ["fix", "--quiet"].iter().chain(options).chain(&["train.py"]);
    let fix = Line::parse_from(line).fix;
    let mut out = Vec::new();
    let mut check = Some(check);
    let status = fix
        .settle(&report, &cancel, &mut out, &mut |_| {
            Ok(check.take().is_some_and(|check| check(&cancel)))
        })
        .unwrap();
    (
        status,
        String::from_utf8(out).unwrap(),
        std::fs::read_to_string(&script).unwrap(),
    )
}

const PATCHED: &str = "x = 2\n";

#[test]
fn nothing_is_written_when_the_run_was_cancelled_or_failed() {
    let apply = ["--apply"];
    let status = |code: &'static str| {
        let (status, _, file) = settled(&apply, |report, _| report.errors.push(error(code)), |_| true);
        (status, file)
    };
    let written = settled(&apply, |_, _| {}, |_| true);
    assert_eq!((written.0, written.2.as_str()), (0, PATCHED));
    assert_eq!(status("too-much-memory"), (FAILED, TEXT.to_owned()));
    assert_eq!(
        status("script-crashed"),
        (0, PATCHED.to_owned()),
        "a fault of its own"
    );
    let cancelled = settled(&apply, |_, cancel| cancel.cancel(), |_| true);
    assert_eq!((cancelled.0, cancelled.2.as_str()), (1, TEXT));
    let meanwhile = |cancel: &Cancel| {
        cancel.cancel();
        true
    };
    let cancelled = settled(&["--apply", "--check"], |_, _| {}, meanwhile);
    assert_eq!((cancelled.0, cancelled.2.as_str()), (1, TEXT));
}

#[test]
fn a_patch_that_fails_its_check_is_not_shown() {
    for options in [&["--check"][..], &["--check", "--diff"]] {
        let (status, out, file) = settled(options, |_, _| {}, |_| false);
        assert_eq!((status, out.as_str(), file.as_str()), (1, "", TEXT));
        let (status, out, file) = settled(options, |_, _| {}, |_| true);
        assert!(status == 1 && out.contains("+x = 2") && file == TEXT, "{out}");
    }
}

#[test]
fn only_a_fault_is_patched_and_not_with_what_did_nothing() {
    let chosen = |change: &dyn Fn(&mut Report)| {
        let mut report = report(Path::new("/nowhere"));
        change(&mut report);
        choose(&report).is_some()
    };
    assert!(chosen(&|_| {}));
    assert!(!chosen(&|report| {
        report.verdict = Verdict::Healthy;
        report.findings[0].severity = Severity::Hint;
    }));
    assert!(!chosen(&|report| {
        let idle = vec![report.findings[0].fixes[0].edits.clone()];
        report.run.as_mut().unwrap().tried = Some(Tried {
            idle,
            ..Tried::default()
        });
    }));
    let behind = |verdict: Verdict| {
        move |report: &mut Report| {
            report.verdict = verdict;
            let first = Finding {
                fixes: Vec::new(),
                ..report.findings[0].clone()
            };
            report.findings.insert(0, first);
        }
    };
    assert!(chosen(&behind(Verdict::Faulty)) && !chosen(&behind(Verdict::Crashed)));
}

#[test]
fn what_was_tried_is_said_where_there_is_no_patch() {
    let said = |verdict: Verdict, tried: Option<Tried>| {
        let mut report = report(Path::new("/nowhere"));
        report.verdict = verdict;
        report.run.as_mut().unwrap().tried = tried;
        anstream::adapter::strip_str(&without_patch(&report).0).to_string()
    };
    let tried = |unsure: usize| Tried {
        changes: 3,
        trials: 4,
        unsure,
        ..Tried::default()
    };
    let crashed = said(Verdict::Crashed, None);
    assert!(crashed.contains("crashed, and no safe fix is known"), "{crashed}");
    let faulty = said(Verdict::Faulty, Some(tried(0)));
    assert!(faulty.contains("none helps by more than chance"), "{faulty}");
    let unsure = said(Verdict::Inconclusive, Some(tried(1)));
    assert!(unsure.contains("some help, but not so plainly"), "{unsure}");
    let obstacle = Tried {
        obstacle: Some("no time".to_owned()),
        ..tried(0)
    };
    let obstacle = said(Verdict::Faulty, Some(obstacle));
    assert!(
        obstacle.contains("no change could be tried: no time"),
        "{obstacle}"
    );
}

#[test]
fn a_byte_order_mark_stays() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("train.py");
    std::fs::write(&script, format!("{BYTE_ORDER_MARK}{TEXT}")).unwrap();
    let fix = Line::parse_from(["fix", "--quiet", "--apply", "train.py"]).fix;
    let report = report(folder.path());
    let status = fix.settle(&report, &Cancel::default(), &mut io::sink(), &mut |_| Ok(true));
    assert_eq!(status.unwrap(), 0);
    let after = std::fs::read_to_string(&script).unwrap();
    assert_eq!(after, format!("{BYTE_ORDER_MARK}{PATCHED}"));
}

#[test]
fn the_options_of_a_run_are_those_of_a_fix() {
    let line = "fix --startup-seconds 7 --max-memory 3 --max-written 2 --managed train.py --epochs 1";
    let options = Line::parse_from(line.split(' ')).fix.script.options();
    assert_eq!((options.startup_seconds, options.managed), (7.0, true));
    assert_eq!(
        (options.limits.memory, options.limits.written),
        (Some(3 << 20), 2 << 20)
    );
    assert_eq!(options.arguments, ["--epochs", "1"]);
}
