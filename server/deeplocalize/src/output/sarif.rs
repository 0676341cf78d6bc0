//! SARIF 2.1.0, the format that code scanning services share.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::io::{self, Write};
use std::path::{Component, Path};

use finding::{Applicability, Finding, Fix, Range, RuleInfo, Severity, doc_section};
use serde_json::{Map, Value, json};

use super::fingerprint::Fingerprints;
use super::{Format, Look, Sources};
use crate::report::{HOME, Report, ToolError, all_rules, effect, page};

pub const FORMAT: Format = Format { name: "sarif", write };

fn write(report: &Report, _look: &Look, out: &mut dyn Write, _err: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report))?;
    writeln!(out)
}

fn document(report: &Report) -> Value {
    let sources = Sources::new(report);
    let rules = all_rules();
    let mut fingerprints = Fingerprints::default();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let index = rules.iter().position(|rule| rule.code == finding.code);
            result(finding, index, &sources, &mut fingerprints)
        })
        .collect();
    let notifications: Vec<Value> = report.errors.iter().map(notification).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "DeepLocalize",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
                "rules": rules.into_iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.errors.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    })
}

fn rule(rule: &RuleInfo) -> Value {
    let text = rule.markdown();
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary()},
        "fullDescription": {"text": doc_section(&text, "Why it matters")},
        "help": {"text": text, "markdown": text},
        "helpUri": page(rule.code),
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"tags": [rule.kind.as_str()]},
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information | Severity::Hint => "note",
    }
}

fn result(
    finding: &Finding,
    index: Option<usize>,
    sources: &Sources<'_>,
    fingerprints: &mut Fingerprints,
) -> Value {
    let mut result = Map::new();
    result.insert("ruleId".into(), json!(finding.code));
    if let Some(index) = index {
        result.insert("ruleIndex".into(), json!(index));
    }
    result.insert("level".into(), json!(level(finding.severity)));
    result.insert("message".into(), json!({"text": message(finding, sources)}));
    result.insert(
        "locations".into(),
        json!([location(&finding.path, Some(finding.range), sources)]),
    );
    let related: Vec<Value> = finding
        .evidence
        .iter()
        .enumerate()
        .map(|(number, evidence)| {
            let mut place = location(&evidence.path, evidence.range, sources);
            if let Some(place) = place.as_object_mut() {
                place.insert("id".into(), json!(number));
                place.insert("message".into(), json!({"text": evidence.text}));
            }
            place
        })
        .collect();
    if !related.is_empty() {
        result.insert("relatedLocations".into(), json!(related));
    }
    // Consumers apply what they are given, so only what may be applied without looking is given.
    let fixes: Vec<Value> = finding
        .fixes
        .iter()
        .filter(|fix| fix.applicability == Applicability::Safe || fix.trial.is_some())
        .filter_map(|fix| fix_of(fix, sources))
        .collect();
    if !fixes.is_empty() {
        result.insert("fixes".into(), json!(fixes));
    }
    result.insert(
        "partialFingerprints".into(),
        json!({"deeplocalize/v1": fingerprints.of(finding, sources)}),
    );
    result.insert(
        "properties".into(),
        json!({"kind": finding.kind.as_str(), "source": finding.source, "confidence": finding.confidence}),
    );
    Value::Object(result)
}

fn message(finding: &Finding, sources: &Sources<'_>) -> String {
    match sources
        .span(&finding.path, finding.range)
        .and_then(|span| Some((span.cell?, span.start.0)))
    {
        Some((cell, line)) => format!("cell {cell}, line {line}: {}", finding.message),
        None => finding.message.clone(),
    }
}

/// A place in a file. Lines of a notebook's cell are no lines of the file, so a notebook has none.
fn location(path: &Path, range: Option<Range>, sources: &Sources<'_>) -> Value {
    let mut physical = Map::new();
    physical.insert("artifactLocation".into(), json!({"uri": uri(path)}));
    if let Some(region) = range.and_then(|range| region(path, range, sources)) {
        physical.insert("region".into(), region);
    }
    json!({"physicalLocation": physical})
}

fn region(path: &Path, range: Range, sources: &Sources<'_>) -> Option<Value> {
    let span = sources.span(path, range).filter(|span| span.cell.is_none())?;
    Some(json!({
        "startLine": span.start.0,
        "startColumn": span.start.1,
        "endLine": span.end.0,
        "endColumn": span.end.1,
    }))
}

fn fix_of(fix: &Fix, sources: &Sources<'_>) -> Option<Value> {
    let mut files: Vec<(&Path, Vec<Value>)> = Vec::new();
    for edit in &fix.edits {
        let replacement = json!({
            "deletedRegion": region(&edit.path, edit.range, sources)?,
            "insertedContent": {"text": edit.new_text},
        });
        match files.iter_mut().find(|(path, _)| *path == edit.path) {
            Some((_, replacements)) => replacements.push(replacement),
            None => files.push((&edit.path, vec![replacement])),
        }
    }
    let changes: Vec<Value> = files
        .into_iter()
        .map(|(path, replacements)| {
            json!({"artifactLocation": {"uri": uri(path)}, "replacements": replacements})
        })
        .collect();
    let text = match &fix.trial {
        Some(trial) => format!("{} ({})", fix.title, effect(trial)),
        None => fix.title.clone(),
    };
    (!changes.is_empty()).then(|| json!({"description": {"text": text}, "artifactChanges": changes}))
}

fn notification(error: &ToolError) -> Value {
    let mut notification = Map::new();
    let text = match error.hint.as_str() {
        "" => error.message.clone(),
        hint => format!("{} ({hint})", error.message),
    };
    notification.insert("level".into(), json!("error"));
    notification.insert("message".into(), json!({"text": text}));
    notification.insert("descriptor".into(), json!({"id": error.code}));
    if let Some(path) = &error.path {
        let place = json!([{"physicalLocation": {"artifactLocation": {"uri": uri(path)}}}]);
        notification.insert("locations".into(), place);
    }
    Value::Object(notification)
}

/// A path as a URI reference: relative ones stay relative, as the services want them.
fn uri(path: &Path) -> String {
    let mut uri = String::new();
    for component in path.components() {
        match component {
            Component::RootDir => uri.push_str("file:///"),
            Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => push(&mut uri, ".."),
            Component::Normal(name) => push(&mut uri, &encoded(&name.to_string_lossy())),
        }
    }
    uri
}

fn push(uri: &mut String, segment: &str) {
    if !uri.is_empty() && !uri.ends_with('/') {
        uri.push('/');
    }
    uri.push_str(segment);
}

/// Percent-encodes what may not stand in a segment of a URI.
fn encoded(segment: &str) -> String {
    let mut text = String::new();
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
