//! The report as one self-contained HTML page: findings over the source, and what was seen of each layer over the steps.

mod curves;

use std::io::{self, Write};
use std::path::Path;

use finding::{Applicability, Finding};
use serde::Serialize;
use trace::Trace;

use super::{Format, Look};
use crate::report::{self, Report};
use crate::text::SourceText;
use curves::Training;

/// The page as an output format.
pub const FORMAT: Format = Format { name: "html", write };

const PAGE: &str = include_str!("../../assets/report/page.html");
const PARTS: [(&str, &str); 4] = [
    ("{{uplot-css}}", include_str!("../../assets/report/uPlot.min.css")),
    ("{{css}}", include_str!("../../assets/report/report.css")),
    (
        "{{uplot-js}}",
        include_str!("../../assets/report/uPlot.iife.min.js"),
    ),
    ("{{js}}", include_str!("../../assets/report/report.js")),
];
/// Lines shown around a finding.
const CONTEXT: usize = 3;

/// Everything the page draws.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    verdict: &'static str,
    script: String,
    about: String,
    findings: Vec<Shown>,
    fits: Vec<Training>,
}

/// A finding with its excerpt.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    code: &'static str,
    kind: String,
    severity: &'static str,
    message: String,
    place: String,
    page: String,
    excerpt: Vec<Line>,
    evidence: Vec<Seen>,
    fixes: Vec<Patch>,
}

/// A line of the source; `mark` in UTF-16 code units, as JavaScript counts.
#[derive(Debug, Serialize)]
struct Line {
    number: usize,
    text: String,
    mark: Option<(usize, usize)>,
}

/// A piece of evidence with the step and the layer it speaks of.
#[derive(Debug, Serialize)]
struct Seen {
    text: String,
    fit: Option<usize>,
    step: Option<u64>,
    layer: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Patch {
    title: String,
    trial: Option<String>,
}

fn write(report: &Report, _: &Look, out: &mut dyn Write, _: &mut dyn Write) -> io::Result<()> {
    out.write_all(render(report).as_bytes())
}

/// The page.
pub fn render(report: &Report) -> String {
    let nothing = Trace::default();
    let trace = report.trace.as_deref().unwrap_or(&nothing);
    let script = report
        .files
        .first()
        .map_or_else(String::new, |path| path.display().to_string());
    let data = Data {
        verdict: report.verdict.as_str(),
        about: about(report),
        findings: report
            .findings
            .iter()
            .map(|finding| shown(finding, report, trace))
            .collect(),
        fits: curves::trainings(trace, &report.findings),
        script,
    };
    // A string of the data must not end the element that holds it.
    let json = serde_json::to_string(&data)
        .unwrap_or_default()
        .replace('<', "\\u003c");
    let mut page = PAGE
        .replace(
            "{{title}}",
            &escape(&format!("{}: {}", data.script, data.verdict)),
        )
        .replace("{{version}}", env!("CARGO_PKG_VERSION"));
    for (place, part) in PARTS {
        page = page.replace(place, part);
    }
    page.replace("{{data}}", &json)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn about(report: &Report) -> String {
    let Some(run) = &report.run else {
        return String::new();
    };
    let batches: u64 = run.fits.iter().map(|fit| fit.batches_seen).sum();
    format!(
        "Keras {} on {}, Python {}, {} mechanism · {batches} batches in {:.1} s after {:.1} s to start",
        run.keras, run.backend, run.python, run.mechanism, run.training_seconds, run.startup_seconds
    )
}

fn shown(finding: &Finding, report: &Report, trace: &Trace) -> Shown {
    let source = report.text(&finding.path).map(SourceText::new);
    let position = source
        .as_ref()
        .map(|source| source.line_column(source.clamp(finding.range).start));
    let place = position.map_or_else(
        || finding.path.display().to_string(),
        |(line, column)| format!("{}:{line}:{column}", finding.path.display()),
    );
    let layer = finding.layer.as_ref().map(|layer| layer.index);
    Shown {
        code: finding.code,
        kind: finding.kind.to_string(),
        severity: finding.severity.as_str(),
        message: finding.message.clone(),
        place,
        page: report::page(finding.code),
        excerpt: source.map(|source| excerpt(&source, finding)).unwrap_or_default(),
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| {
                let at = evidence
                    .epoch
                    .and_then(|epoch| step_of(trace, epoch, evidence.batch));
                let own = evidence.range.and_then(|range| {
                    let source = SourceText::new(report.text(&evidence.path)?);
                    layer_on(trace, &evidence.path, source.line_column(range.start).0)
                });
                Seen {
                    text: evidence.text.clone(),
                    fit: at.map(|(fit, _)| fit),
                    step: at.map(|(_, step)| step),
                    layer: own.or(layer),
                }
            })
            .collect(),
        fixes: finding
            .fixes
            .iter()
            .map(|fix| Patch {
                title: match fix.applicability {
                    Applicability::Safe => fix.title.clone(),
                    _ => format!("{} (look at it before you apply it)", fix.title),
                },
                trial: fix.trial.as_ref().map(|trial| {
                    format!(
                        "tried: {} {:.3} → {:.3} after {} steps",
                        trial.metric, trial.before, trial.after, trial.steps
                    )
                }),
            })
            .collect(),
    }
}

/// The lines around a finding, its first line marked.
fn excerpt(source: &SourceText, finding: &Finding) -> Vec<Line> {
    let range = source.clamp(finding.range);
    let (line, _) = source.line_column(range.start);
    let mut start = 0;
    let mut lines = Vec::new();
    for (index, text) in source.text().split_inclusive('\n').enumerate() {
        let number = index + 1;
        let bare = text.trim_end_matches(['\n', '\r']);
        if number.abs_diff(line) <= CONTEXT {
            let units = |offset: usize| {
                let within = offset.clamp(start, start + bare.len()) - start;
                bare.get(..within)
                    .map_or(0, |before| before.encode_utf16().count())
            };
            lines.push(Line {
                number,
                text: bare.to_owned(),
                mark: (number == line).then(|| (units(range.start), units(range.end))),
            });
        }
        start += text.len();
    }
    lines
}

/// The training and the step of a batch.
fn step_of(trace: &Trace, epoch: u32, batch: Option<u32>) -> Option<(usize, u64)> {
    trace.fits.iter().enumerate().rev().find_map(|(number, fit)| {
        let moments = fit.scalars().moments();
        let found = moments
            .iter()
            .find(|moment| moment.epoch == epoch && batch.is_none_or(|batch| moment.batch >= batch))?;
        Some((number, found.step))
    })
}

/// The layer that was made on a line.
fn layer_on(trace: &Trace, path: &Path, line: usize) -> Option<usize> {
    trace.fits.iter().rev().find_map(|fit| {
        fit.info.layers.iter().find_map(|layer| {
            let site = layer.site.as_ref()?;
            let same = site.path.ends_with(path) || path.ends_with(&site.path);
            (same && site.line as usize == line).then_some(layer.index)
        })
    })
}
