//! What the formats print of reports that fill every field, and of texts that are hard to print.

#![allow(
    clippy::unwrap_used,
    reason = "clippy counts only the test functions themselves as tests"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use deeplocalize::output::{FORMATS, Look};
use deeplocalize::report::{Fallback, FitSummary, Report, RunSummary, ToolError, Tried, WrittenSummary};
use finding::{
    Applicability, Edit, Evidence, Finding, Fix, Kind, LayerRef, Phase, Range, Severity, Source, Trial,
    Verdict,
};

const SCRIPT: &str = "\
import keras
from data import x, y

model = keras.Sequential()
model.add(keras.layers.Dense(16, activation=\"relu\"))
# é 😀: the output
model.add(keras.layers.Dense(1, name=\"größe\", activation=\"softmax\"))
model.compile(loss=\"binary_crossentropy\", optimizer=\"adam\", metrics=[\"accuracy\"])
model.fit(x, y, epochs=20)
";

fn find(text: &str, part: &str) -> Range {
    let start = text.find(part).unwrap();
    Range::new(start, start + part.len())
}

fn finding(text: &str, part: &str, message: &str) -> Finding {
    Finding {
        code: "DL101",
        name: "softmax-on-one-unit",
        kind: Kind::OutputActivation,
        severity: Severity::Error,
        source: Source::Static,
        path: "train.py".into(),
        range: find(text, part),
        layer: None,
        message: message.into(),
        evidence: Vec::new(),
        confidence: 1.0,
        fixes: Vec::new(),
    }
}

fn report(text: &str, findings: Vec<Finding>) -> Report {
    Report {
        verdict: Verdict::Faulty,
        files: vec!["train.py".into()],
        run: None,
        findings,
        errors: Vec::new(),
        texts: BTreeMap::from([("train.py".into(), text.to_owned())]),
        cells: BTreeMap::new(),
        trace: None,
    }
}

fn full() -> Report {
    let evidence = |text: &str, part: &str, phase| Evidence {
        text: text.into(),
        path: "train.py".into(),
        range: Some(find(SCRIPT, part)),
        epoch: Some(0),
        batch: Some(3),
        phase: Some(phase),
    };
    let sigmoid = Fix {
        title: "Use a sigmoid output".into(),
        applicability: Applicability::Safe,
        edits: vec![Edit {
            path: "train.py".into(),
            range: find(SCRIPT, "\"softmax\""),
            new_text: "\"sigmoid\"".into(),
        }],
        trial: Some(Trial {
            metric: "accuracy".into(),
            before: 0.5,
            after: 1.0,
            steps: 200,
            seeds: 3,
        }),
    };
    let softmax = Finding {
        source: Source::Callback,
        layer: Some(LayerRef {
            index: 1,
            name: "größe".into(),
            type_name: "Dense".into(),
        }),
        evidence: vec![
            evidence(
                "output of größe is 1.0 for every sample",
                "\"softmax\"",
                Phase::Forward,
            ),
            evidence(
                "the labels hold 0 and 1",
                "model.fit(x, y, epochs=20)",
                Phase::Data,
            ),
        ],
        confidence: 0.98,
        fixes: vec![sigmoid],
        ..finding(
            SCRIPT,
            "\"softmax\"",
            "softmax over one unit is always 1.0, so this layer cannot learn. Use a sigmoid, which turns one number into a probability.",
        )
    };
    let metric = Finding {
        code: "DL999",
        name: "metric-of-no-use",
        kind: Kind::Metric,
        severity: Severity::Warning,
        ..finding(SCRIPT, "metrics=[\"accuracy\"]", "this metric says nothing here")
    };
    let fit = FitSummary {
        path: "train.py".into(),
        range: Some(find(SCRIPT, "model.fit(x, y, epochs=20)")),
        epochs_seen: 2,
        batches_seen: 96,
        stopped: "fault-localised",
        loss: vec![0.7, f64::NAN, f64::INFINITY],
        metrics: BTreeMap::from([("accuracy".into(), vec![0.5, 0.5])]),
    };
    Report {
        run: Some(RunSummary {
            interpreter: "/venv/bin/python".into(),
            python: "3.11.7".into(),
            keras: "3.15.1".into(),
            backend: "tensorflow".into(),
            mechanism: "callback",
            fallback: Some(Fallback {
                what: "a loss of your own".into(),
                path: Some("train.py".into()),
                range: Some(find(SCRIPT, "loss=\"binary_crossentropy\"")),
            }),
            fits: vec![fit],
            startup_seconds: 7.9,
            training_seconds: 0.8,
            analysis_seconds: 0.002,
            trace: Some("run.trace".into()),
            log: Some("run.log".into()),
            tried: Some(Tried {
                mechanism: "callback",
                obstacle: None,
                changes: 8,
                trials: 15,
                helped: 2,
                seconds: 9.1,
                ..Tried::default()
            }),
            written: Some(WrittenSummary {
                folder: Some("/tmp/deeplocalize-files-1".into()),
                mechanism: "overlay",
                files: vec![
                    ("/home/me/model.keras".into(), 18_000),
                    ("/home/me/log.csv".into(), 120),
                ],
                count: 2,
                bytes: 18_120,
                removed: vec!["/home/me/old.csv".into()],
                ..WrittenSummary::default()
            }),
        }),
        errors: vec![ToolError {
            code: "script-killed".into(),
            message: "the script was killed".into(),
            path: Some("train.py".into()),
            hint: "look at its output".into(),
        }],
        ..report(SCRIPT, vec![softmax, metric])
    }
}

fn print(name: &str, report: &Report) -> (String, String) {
    let format = FORMATS.iter().find(|format| format.name == name).unwrap();
    let look = Look {
        width: 100,
        quiet: false,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    (format.write)(report, &look, &mut out, &mut err).unwrap();
    let plain = |bytes| anstream::adapter::strip_str(&String::from_utf8(bytes).unwrap()).to_string();
    (plain(out), plain(err))
}

fn text_of(report: &Report) -> String {
    print("text", report).0
}

#[test]
fn text_shows_source_evidence_fix_and_verdict() {
    let (out, err) = print("text", &full());
    insta::assert_snapshot!("text", out);
    assert_eq!(err, "error: the script was killed\nhint: look at its output\n");
}

#[test]
fn json_is_the_contract() {
    let (out, err) = print("json", &full());
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    insta::assert_snapshot!("json", out.replace(&version, "\"version\": \"VERSION\""));
    assert_eq!(err, "");
}

/// Every name that the contract shows as a key stands in the document, as far as the report has it.
#[test]
fn json_has_every_field_of_the_contract() {
    fn keys(value: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| {
                found.insert(key.clone());
                keys(value, found);
            }),
            serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }
    let contract = include_str!("../../../docs/findings-schema.md");
    let mut named: Vec<&str> = Vec::new();
    for (at, _) in contract
        .match_indices("\":")
        .chain(contract.match_indices("\" :"))
    {
        let start = contract[..at].rfind('"').unwrap();
        named.push(&contract[start + 1..at]);
    }
    assert!(named.len() > 40 && named.contains(&"applicability"), "{named:?}");
    let document: serde_json::Value = serde_json::from_str(&print("json", &full()).0).unwrap();
    let mut found = std::collections::BTreeSet::new();
    keys(&document, &mut found);
    for name in named {
        assert!(found.contains(name), "{name}");
    }
}

#[test]
fn json_columns_count_code_points_and_numbers_that_are_none_are_null() {
    let document: serde_json::Value = serde_json::from_str(&print("json", &full()).0).unwrap();
    let line = SCRIPT.lines().nth(6).unwrap();
    let column = line[..line.find("\"softmax\"").unwrap()].chars().count() + 1;
    let start = &document["findings"][0]["range"]["start"];
    assert_eq!(start, &serde_json::json!({"line": 7, "column": column}));
    assert_eq!(
        document["run"]["fits"][0]["loss"],
        serde_json::json!([0.7, null, null])
    );
}

/// The columns of the line marked with carets, and of the text they should stand under.
fn underline(shown: &str, part: &str) -> (usize, usize) {
    use unicode_width::UnicodeWidthStr;
    let mut lines = shown.lines();
    let source = lines.find(|line| line.contains(part)).unwrap();
    let carets = lines.next().unwrap();
    let column = |line: &str, part: &str| line[..line.find(part).unwrap()].width();
    (column(source, part), column(carets, "^"))
}

#[test]
fn underlines_stand_under_tabs_and_wide_characters() {
    for text in [
        "\tif x:\n\t\tf(lr=3)\r\n",
        "s = '学習率 😀'; f(lr=3)\n",
        "é = f(lr=3)",
    ] {
        let shown = text_of(&report(text, vec![finding(text, "lr=3", "too high")]));
        let (source, carets) = underline(&shown, "lr=3");
        assert_eq!(source, carets, "{shown}");
        assert!(!shown.contains('\r'));
    }
}

#[test]
fn a_long_line_does_not_flood_the_terminal() {
    let text = format!("x = [{}lr=3, {}]\n", "1, ".repeat(20_000), "2, ".repeat(20_000));
    let mut long = finding(&text, "lr=3", "too high");
    let edit = |new_text: String| Fix {
        title: "Use less".into(),
        applicability: Applicability::Unsafe,
        edits: vec![Edit {
            path: "train.py".into(),
            range: find(&text, "lr=3"),
            new_text,
        }],
        trial: None,
    };
    long.fixes = vec![edit("lr=1".into()), edit("9".repeat(5_000))];
    let shown = text_of(&report(&text, vec![long]));
    assert!(shown.contains("lr=3") && shown.contains("^^^^"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() < 160), "{shown}");
    let (source, carets) = underline(&shown, "lr=3");
    assert_eq!(source, carets);
}

#[test]
fn ranges_that_do_not_fit_and_texts_that_are_missing_are_survived() {
    let text = "é = 1";
    let mut past = finding(text, "1", "past the end");
    past.range = Range::new(3, 999);
    past.fixes = vec![Fix {
        title: "Cut a character in two".into(),
        applicability: Applicability::DisplayOnly,
        edits: vec![Edit {
            path: "train.py".into(),
            range: Range::new(1, 2),
            new_text: "x".into(),
        }],
        trial: None,
    }];
    let elsewhere = Finding {
        path: PathBuf::from("gone.py"),
        ..past.clone()
    };
    let empty = Report {
        texts: BTreeMap::from([("train.py".into(), String::new())]),
        cells: BTreeMap::new(),
        trace: None,
        ..report(text, vec![past.clone()])
    };
    for report in [report(text, vec![past, elsewhere]), empty] {
        assert!(text_of(&report).contains("error[DL101]: past the end"));
        assert!(print("json", &report).0.contains("past the end"));
    }
}

#[test]
fn what_a_script_says_cannot_steer_the_terminal() {
    let text = "x = 1 # \u{1b}[2J\n";
    let mut crash = finding(
        text,
        "x",
        "it raised \u{1b}[1mValueError\u{1b}[0m\u{7}. Expected\tthis",
    );
    crash.path = "a\u{1b}]0;b.py".into();
    let mut report = report(text, vec![crash]);
    report.texts = BTreeMap::from([("a\u{1b}]0;b.py".into(), text.to_owned())]);
    report.errors = vec![ToolError {
        code: "x".into(),
        message: "bad \u{1b}[31mname".into(),
        path: None,
        hint: String::new(),
    }];
    let format = FORMATS.iter().find(|format| format.name == "text").unwrap();
    let look = Look {
        width: 80,
        quiet: true,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    (format.write)(&report, &look, &mut out, &mut err).unwrap();
    let raw = String::from_utf8([out, err].concat()).unwrap();
    for sequence in ["\u{1b}[2J", "\u{1b}]", "\u{7}", "\u{1b}[31mname"] {
        assert!(!raw.contains(sequence), "{raw:?}");
    }
}

#[test]
fn each_verdict_is_a_plain_sentence() {
    let fit = |stopped, loss: &[f64]| FitSummary {
        batches_seen: 480,
        stopped,
        loss: loss.to_vec(),
        ..FitSummary::default()
    };
    let sentence = |verdict, fits: Vec<FitSummary>| {
        let run = RunSummary {
            fits,
            ..RunSummary::default()
        };
        let report = Report {
            verdict,
            run: Some(run),
            ..report("", Vec::new())
        };
        text_of(&report)
    };
    assert_eq!(
        sentence(Verdict::Healthy, vec![fit("finished", &[0.7212, 0.2, 0.0812])]),
        "train.py is healthy: nothing found after 480 steps (loss 0.721 → 0.081)\n"
    );
    assert_eq!(
        sentence(Verdict::Inconclusive, vec![fit("budget", &[0.7])]),
        "inconclusive: nothing found after 480 steps (loss 0.700); more batches or seconds (--max-batches, --max-seconds) may settle it\n"
    );
    assert_eq!(
        sentence(
            Verdict::Inconclusive,
            vec![fit("finished", &[]), fit("cancelled", &[])]
        ),
        "inconclusive: nothing found after 960 steps of 2 trainings; the run was cancelled\n"
    );
    assert_eq!(
        sentence(Verdict::Inconclusive, vec![]),
        "inconclusive: no training was seen\n"
    );
    assert_eq!(sentence(Verdict::Crashed, vec![]), "train.py crashed\n");
}
