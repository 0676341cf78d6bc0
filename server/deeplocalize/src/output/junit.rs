//! JUnit XML, as CI servers read it: a suite per file, a failed test case per finding.

use std::io::{self, Write};
use std::path::Path;

use finding::Finding;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Format, Look, Sources};
use crate::report::{Report, ToolError};

pub const FORMAT: Format = Format { name: "junit", write };

fn write(report: &Report, _look: &Look, out: &mut dyn Write, _err: &mut dyn Write) -> io::Result<()> {
    let sources = Sources::new(report);
    let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = report.findings.len().to_string();
    let errors = report.errors.len().to_string();
    xml.create_element("testsuites")
        .with_attributes([
            ("name", "deeplocalize"),
            ("failures", failures.as_str()),
            ("errors", errors.as_str()),
        ])
        .write_inner_content(|xml| {
            let mut paths: Vec<&Path> = report.files.iter().map(|path| path.as_path()).collect();
            // A run also finds faults in modules that its script imports.
            for finding in &report.findings {
                if !paths.contains(&finding.path.as_path()) {
                    paths.push(&finding.path);
                }
            }
            for path in paths {
                suite(xml, path, report, &sources)?;
            }
            let elsewhere: Vec<&ToolError> = report
                .errors
                .iter()
                .filter(|error| {
                    error
                        .path
                        .as_ref()
                        .is_none_or(|path| !report.files.contains(path))
                })
                .collect();
            if !elsewhere.is_empty() {
                test_suite(xml, "deeplocalize", &[], &elsewhere, &sources)?;
            }
            Ok(())
        })?;
    writeln!(xml.into_inner())
}

type Xml<'a> = Writer<&'a mut (dyn Write + 'a)>;

fn suite(xml: &mut Xml<'_>, path: &Path, report: &Report, sources: &Sources<'_>) -> io::Result<()> {
    let findings: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.path == path)
        .collect();
    let errors: Vec<_> = report
        .errors
        .iter()
        .filter(|error| error.path.as_deref() == Some(path))
        .collect();
    test_suite(xml, &path.to_string_lossy(), &findings, &errors, sources)
}

fn test_suite(
    xml: &mut Xml<'_>,
    name: &str,
    findings: &[&Finding],
    errors: &[&ToolError],
    sources: &Sources<'_>,
) -> io::Result<()> {
    let clean = findings.is_empty() && errors.is_empty();
    let tests = (findings.len() + errors.len() + usize::from(clean)).to_string();
    let (failed, broken) = (findings.len().to_string(), errors.len().to_string());
    let name = printable(name);
    xml.create_element("testsuite")
        .with_attributes([
            ("name", name.as_str()),
            ("tests", tests.as_str()),
            ("failures", failed.as_str()),
            ("errors", broken.as_str()),
        ])
        .write_inner_content(|xml| {
            for finding in findings {
                let place = sources.describe(&finding.path, finding.range);
                let text = format!("{place}: {} {}", finding.severity.as_str(), finding.message);
                case(
                    xml,
                    &name,
                    finding.code,
                    Some(("failure", &finding.message, &text)),
                )?;
            }
            for error in errors {
                let text = format!("{}\n{}", error.message, error.hint);
                case(
                    xml,
                    &name,
                    &error.code,
                    Some(("error", &error.message, text.trim())),
                )?;
            }
            if clean {
                case(xml, &name, "check", None)?;
            }
            Ok(())
        })?;
    Ok(())
}

/// A test case; with what went wrong: element, message and text.
fn case(xml: &mut Xml<'_>, class: &str, name: &str, wrong: Option<(&str, &str, &str)>) -> io::Result<()> {
    let case = xml
        .create_element("testcase")
        .with_attributes([("classname", class), ("name", name)]);
    match wrong {
        None => case.write_empty()?,
        Some((element, message, text)) => case.write_inner_content(|xml| {
            xml.create_element(element)
                .with_attribute(("message", printable(message).as_str()))
                .write_text_content(BytesText::new(&printable(text)))?;
            Ok(())
        })?,
    };
    Ok(())
}

/// The text without what XML cannot hold even escaped.
fn printable(text: &str) -> String {
    let allowed = |letter: &char| matches!(letter, '\t' | '\n' | '\r') || !letter.is_control();
    text.chars()
        .filter(allowed)
        .filter(|letter| !matches!(letter, '\u{fffe}' | '\u{ffff}'))
        .collect()
}
