//! The formats that other programs read, against what these programs expect.

#![allow(
    clippy::unwrap_used,
    reason = "clippy counts only the test functions themselves as tests"
)]

use std::collections::BTreeMap;

use deeplocalize::output::{FORMATS, Look};
use deeplocalize::report::{Report, ToolError};
use finding::{Applicability, Edit, Evidence, Finding, Fix, Kind, Range, Severity, Source, Verdict};
use quick_xml::events::Event;
use serde_json::{Value, json};

const SCRIPT: &str =
    "import keras\nmodel.add(é, \"softmax\")\nmodel.add(é, \"softmax\")\nmodel.fit(\n  x,\n)\n";
const CELLS: &str = "import keras\nmodel = 1\nmodel.add(\"softmax\")\n";

fn finding(path: &str, text: &str, part: &str, from: usize, severity: Severity) -> Finding {
    let start = from + text[from..].find(part).unwrap();
    Finding {
        code: "DL101",
        name: "softmax-on-one-unit",
        kind: Kind::OutputActivation,
        severity,
        source: Source::Static,
        path: path.into(),
        range: Range::new(start, start + part.len()),
        layer: None,
        message: "100 % wrong: <a>, \"b\"\nsecond\u{1b}[31m line".into(),
        evidence: vec![Evidence {
            text: "seen & noted".into(),
            path: path.into(),
            range: None,
            epoch: Some(0),
            batch: None,
            phase: None,
        }],
        confidence: 0.5,
        fixes: [Applicability::Safe, Applicability::Unsafe]
            .map(|applicability| Fix {
                title: "Use a sigmoid".into(),
                applicability,
                edits: vec![Edit {
                    path: path.into(),
                    range: Range::new(start, start + part.len()),
                    new_text: "\"sigmoid\"".into(),
                }],
                trial: None,
            })
            .to_vec(),
    }
}

fn report() -> Report {
    let path = "my models/a,b:c.py";
    Report {
        verdict: Verdict::Faulty,
        files: vec![
            path.into(),
            "nb.ipynb".into(),
            "clean.py".into(),
            "gone.py".into(),
        ],
        run: None,
        findings: vec![
            finding(path, SCRIPT, "\"softmax\"", 0, Severity::Error),
            finding(path, SCRIPT, "\"softmax\"", 30, Severity::Warning),
            finding(path, SCRIPT, "model.fit(\n  x,\n)", 0, Severity::Hint),
            finding("nb.ipynb", CELLS, "\"softmax\"", 0, Severity::Information),
        ],
        errors: vec![
            ToolError {
                code: "no-such-file".into(),
                message: "no such file: gone.py".into(),
                path: Some("gone.py".into()),
                hint: "look\nelsewhere".into(),
            },
            ToolError {
                code: "bad-settings".into(),
                message: "x.toml:1:1: bad".into(),
                path: Some("/abs/x.toml".into()),
                hint: String::new(),
            },
        ],
        texts: BTreeMap::from([
            (path.into(), SCRIPT.to_owned()),
            ("nb.ipynb".into(), CELLS.to_owned()),
        ]),
        cells: BTreeMap::from([("nb.ipynb".into(), vec![0, 13])]),
        trace: None,
    }
}

fn print(format: &str, report: &Report) -> String {
    let format = FORMATS.iter().find(|known| known.name == format).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let look = Look {
        width: 100,
        quiet: false,
    };
    (format.write)(report, &look, &mut out, &mut err).unwrap();
    String::from_utf8(out).unwrap()
}

fn empty() -> Report {
    Report {
        verdict: Verdict::Healthy,
        files: vec!["clean.py".into()],
        findings: Vec::new(),
        errors: Vec::new(),
        ..report()
    }
}

#[test]
fn sarif_is_valid_by_the_official_schema() {
    // The official schema holds one pattern that is no valid regular expression: a bracket too many.
    let schema = include_str!("data/sarif-schema-2.1.0.json").replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in [report(), empty()] {
        let document: Value = serde_json::from_str(&print("sarif", &report)).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    assert!(
        !validator.is_valid(&json!({"version": "2.1.0"})),
        "the schema judges"
    );
}

#[test]
fn sarif_has_what_services_use() {
    let document: Value = serde_json::from_str(&print("sarif", &report())).unwrap();
    let run = &document["runs"][0];
    let results = run["results"].as_array().unwrap();
    let rules = &run["tool"]["driver"]["rules"];
    assert_eq!(
        rules[results[0]["ruleIndex"].as_u64().unwrap() as usize]["id"],
        "DL101"
    );
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "my%20models/a%2Cb%3Ac.py");
    assert_eq!(
        place["region"],
        json!({"startLine": 2, "startColumn": 14, "endLine": 2, "endColumn": 23})
    );
    let levels: Vec<_> = results
        .iter()
        .map(|result| result["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["error", "warning", "note", "note"]);
    let fixes = results[0]["fixes"].as_array().unwrap();
    assert_eq!(fixes.len(), 1, "only the safe one");
    assert_eq!(
        fixes[0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"],
        "\"sigmoid\""
    );
    let notebook = &results[3];
    assert!(
        notebook["message"]["text"]
            .as_str()
            .unwrap()
            .starts_with("cell 2, line 2: ")
    );
    assert!(
        notebook["locations"][0]["physicalLocation"]
            .get("region")
            .is_none()
    );
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let errors = run["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .unwrap();
    assert_eq!(errors.len(), 2);
    assert_eq!(
        errors[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "file:///abs/x.toml"
    );
}

/// Fingerprints by the GitLab report, which the SARIF report shares.
fn fingerprints(report: &Report) -> Vec<String> {
    let document: Value = serde_json::from_str(&print("gitlab", report)).unwrap();
    let text = |issue: &Value| issue["fingerprint"].as_str().unwrap().to_owned();
    document.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn fingerprints_differ_and_survive_lines_added_above() {
    let before = report();
    let mut moved = report();
    let path = moved.findings[0].path.clone();
    for finding in moved.findings.iter_mut().filter(|finding| finding.path == path) {
        finding.range = Range::new(finding.range.start + 8, finding.range.end + 8);
    }
    moved.texts.insert(path, format!("# above\n{SCRIPT}"));
    let prints = fingerprints(&before);
    assert_eq!(prints, fingerprints(&moved));
    let distinct: std::collections::BTreeSet<_> = prints.iter().collect();
    assert_eq!(
        distinct.len(),
        prints.len(),
        "equal lines are counted apart: {prints:?}"
    );
    let sarif: Value = serde_json::from_str(&print("sarif", &before)).unwrap();
    assert_eq!(
        sarif["runs"][0]["results"][1]["partialFingerprints"]["deeplocalize/v1"],
        prints[1]
    );
}

#[test]
fn gitlab_has_every_field_it_needs() {
    let document: Value = serde_json::from_str(&print("gitlab", &report())).unwrap();
    let issues = document.as_array().unwrap();
    let severities: Vec<_> = issues
        .iter()
        .map(|issue| issue["severity"].as_str().unwrap())
        .collect();
    assert_eq!(severities, ["critical", "major", "info", "minor"]);
    assert_eq!(
        issues[2]["location"],
        json!({"path": "my models/a,b:c.py", "lines": {"begin": 4, "end": 6}})
    );
    for issue in issues {
        assert!(issue["description"].is_string() && issue["check_name"] == "DL101");
    }
    assert_eq!(print("gitlab", &empty()), "[]\n");
}

#[test]
fn github_commands_are_one_line_each_and_escaped() {
    let printed = print("github", &report());
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(
        lines[0].starts_with(
            "::error title=DeepLocalize (DL101),file=my models/a%2Cb%3Ac.py,line=2,endLine=2,col=14,endColumn=23::"
        ),
        "{}",
        lines[0]
    );
    assert!(
        lines[0].contains("DL101 100 %25 wrong: <a>, \"b\"%0Asecond"),
        "{}",
        lines[0]
    );
    assert!(
        lines[2].starts_with("::notice ") && lines[2].contains("line=4,endLine=6::"),
        "{}",
        lines[2]
    );
    assert!(
        lines[3].starts_with("::notice title=DeepLocalize (DL101),file=nb.ipynb::nb.ipynb:cell 2:2:11: "),
        "{}",
        lines[3]
    );
    assert!(lines[4].ends_with("gone.py (look%0Aelsewhere)"), "{}", lines[4]);
    assert_eq!(print("github", &empty()), "");
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    let printed = print("junit", &report());
    let mut reader = quick_xml::Reader::from_str(&printed);
    let (mut suites, mut cases, mut failures, mut errors) = (Vec::new(), 0, 0, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => match element.name().as_ref() {
                "testsuite" => {
                    let name = element.try_get_attribute("name").unwrap().unwrap();
                    suites.push(name.value.to_string());
                }
                "testcase" => cases += 1,
                "failure" => failures += 1,
                "error" => errors += 1,
                "testsuites" => {}
                other => panic!("{}", other),
            },
            _ => {}
        }
    }
    assert_eq!(
        suites,
        [
            "my models/a,b:c.py",
            "nb.ipynb",
            "clean.py",
            "gone.py",
            "deeplocalize"
        ]
    );
    assert_eq!((cases, failures, errors), (7, 4, 2));
    assert!(!printed.contains('\u{1b}'), "no control characters");
    assert!(printed.contains("&lt;a&gt;"));
}

#[test]
fn concise_is_one_line_per_finding() {
    let printed = anstream::adapter::strip_str(&print("concise", &report())).to_string();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 5, "{printed}");
    assert!(lines[0].starts_with("my models/a,b:c.py:2:14: error DL101 100 % wrong"));
    assert!(lines[3].starts_with("nb.ipynb:cell 2:2:11: information DL101"));
}

#[test]
fn a_page_holds_its_data_and_loads_nothing() {
    let mut report = report();
    let tricky = "ends</script><script>alert(1)</script> &amp; 日本";
    report.findings[0].message = tricky.to_owned();
    let page = print("html", &report);
    let start = "<script id=\"data\" type=\"application/json\">";
    let data = page
        .split_once(start)
        .unwrap()
        .1
        .split_once("</script>")
        .unwrap()
        .0;
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["findings"][0]["message"], tricky);
    assert_eq!(data["verdict"], report.verdict.as_str());
    assert_eq!(data["findings"].as_array().unwrap().len(), report.findings.len());
    for loading in ["src=", "url(", "@import", "<link", "{{"] {
        assert!(!page.contains(loading), "the page has {loading}");
    }
}
