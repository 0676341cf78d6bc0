//! The contract of `docs/findings-schema.md`: one JSON document. It changes only by adding fields.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use finding::{Applicability, Edit, Evidence, Finding, Fix, LayerRef, Phase, Range, Trial};
use serde::Serialize;

use super::{Format, Look, Sources};
use crate::report::{Fallback, FitSummary, Report, RunSummary, ToolError, WrittenSummary};

pub const FORMAT: Format = Format { name: "json", write };

fn write(report: &Report, _look: &Look, out: &mut dyn Write, _err: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report))?;
    writeln!(out)
}

// Field order is the order of the contract. serde_json writes NaN and infinities as null.

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: Tool,
    verdict: &'static str,
    files: Vec<String>,
    run: Option<Run<'a>>,
    findings: Vec<JsonFinding<'a>>,
    errors: Vec<JsonError<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Place {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Span {
    start: Place,
    end: Place,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    code: &'static str,
    name: &'static str,
    kind: &'static str,
    severity: &'static str,
    source: finding::Source,
    path: String,
    cell: Option<usize>,
    range: Option<Span>,
    layer: Option<&'a LayerRef>,
    message: &'a str,
    evidence: Vec<JsonEvidence<'a>>,
    confidence: f64,
    fixes: Vec<JsonFix<'a>>,
}

#[derive(Serialize)]
struct JsonEvidence<'a> {
    text: &'a str,
    path: String,
    cell: Option<usize>,
    range: Option<Span>,
    epoch: Option<u32>,
    batch: Option<u32>,
    phase: Option<Phase>,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    title: &'a str,
    applicability: Applicability,
    edits: Vec<JsonEdit<'a>>,
    trial: Option<&'a Trial>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    path: String,
    cell: Option<usize>,
    range: Option<Span>,
    new_text: &'a str,
}

#[derive(Serialize)]
struct JsonError<'a> {
    code: &'a str,
    message: &'a str,
    path: Option<String>,
    hint: &'a str,
}

#[derive(Serialize)]
struct Run<'a> {
    interpreter: String,
    python: &'a str,
    keras: &'a str,
    backend: &'a str,
    mechanism: &'static str,
    fallback: Option<JsonFallback<'a>>,
    fits: Vec<JsonFit<'a>>,
    seconds: Seconds,
    trace: Option<String>,
    log: Option<String>,
    tried: Option<JsonTried<'a>>,
    written: Option<JsonWritten<'a>>,
}

#[derive(Serialize)]
struct JsonTried<'a> {
    mechanism: &'a str,
    changes: usize,
    trials: usize,
    helped: usize,
    seconds: f64,
    obstacle: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonWritten<'a> {
    folder: Option<String>,
    committed: bool,
    mechanism: &'a str,
    count: usize,
    bytes: u64,
    files: Vec<JsonFile>,
    removed: Vec<String>,
}

#[derive(Serialize)]
struct JsonFile {
    path: String,
    bytes: u64,
}

#[derive(Serialize)]
struct JsonFallback<'a> {
    what: &'a str,
    path: Option<String>,
    range: Option<Span>,
}

#[derive(Serialize)]
struct JsonFit<'a> {
    path: String,
    range: Option<Span>,
    epochs_seen: u32,
    batches_seen: u64,
    stopped: &'static str,
    loss: &'a [f64],
    metrics: &'a BTreeMap<String, Vec<f64>>,
}

#[derive(Serialize)]
struct Seconds {
    startup: f64,
    training: f64,
    analysis: f64,
}

fn document(report: &Report) -> Document<'_> {
    let sources = Sources::new(report);
    Document {
        schema: 1,
        tool: Tool {
            name: "deeplocalize",
            version: env!("CARGO_PKG_VERSION"),
        },
        verdict: report.verdict.as_str(),
        files: report.files.iter().map(|path| name(path)).collect(),
        run: report.run.as_ref().map(|summary| run(summary, &sources)),
        findings: report
            .findings
            .iter()
            .map(|item| finding(item, &sources))
            .collect(),
        errors: report.errors.iter().map(error).collect(),
    }
}

fn finding<'a>(finding: &'a Finding, sources: &Sources<'_>) -> JsonFinding<'a> {
    JsonFinding {
        code: finding.code,
        name: finding.name,
        kind: finding.kind.as_str(),
        severity: finding.severity.as_str(),
        source: finding.source,
        path: name(&finding.path),
        cell: cell(&finding.path, finding.range, sources),
        range: span(&finding.path, finding.range, sources),
        layer: finding.layer.as_ref(),
        message: &finding.message,
        evidence: finding
            .evidence
            .iter()
            .map(|item| evidence(item, sources))
            .collect(),
        confidence: finding.confidence,
        fixes: finding.fixes.iter().map(|item| fix(item, sources)).collect(),
    }
}

fn evidence<'a>(evidence: &'a Evidence, sources: &Sources<'_>) -> JsonEvidence<'a> {
    JsonEvidence {
        text: &evidence.text,
        path: name(&evidence.path),
        cell: evidence
            .range
            .and_then(|range| cell(&evidence.path, range, sources)),
        range: evidence
            .range
            .and_then(|range| span(&evidence.path, range, sources)),
        epoch: evidence.epoch,
        batch: evidence.batch,
        phase: evidence.phase,
    }
}

fn fix<'a>(fix: &'a Fix, sources: &Sources<'_>) -> JsonFix<'a> {
    let edit = |edit: &'a Edit| JsonEdit {
        path: name(&edit.path),
        cell: cell(&edit.path, edit.range, sources),
        range: span(&edit.path, edit.range, sources),
        new_text: &edit.new_text,
    };
    JsonFix {
        title: &fix.title,
        applicability: fix.applicability,
        edits: fix.edits.iter().map(edit).collect(),
        trial: fix.trial.as_ref(),
    }
}

fn error(error: &ToolError) -> JsonError<'_> {
    JsonError {
        code: &error.code,
        message: &error.message,
        path: error.path.as_deref().map(name),
        hint: &error.hint,
    }
}

fn run<'a>(run: &'a RunSummary, sources: &Sources<'_>) -> Run<'a> {
    Run {
        interpreter: name(&run.interpreter),
        python: &run.python,
        keras: &run.keras,
        backend: &run.backend,
        mechanism: run.mechanism,
        fallback: run.fallback.as_ref().map(|item| fallback(item, sources)),
        fits: run.fits.iter().map(|item| fit(item, sources)).collect(),
        seconds: Seconds {
            startup: run.startup_seconds,
            training: run.training_seconds,
            analysis: run.analysis_seconds,
        },
        trace: run.trace.as_deref().map(name),
        log: run.log.as_deref().map(name),
        tried: run.tried.as_ref().map(|tried| JsonTried {
            mechanism: tried.mechanism,
            changes: tried.changes,
            trials: tried.trials,
            helped: tried.helped,
            seconds: tried.seconds,
            obstacle: tried.obstacle.as_deref(),
        }),
        written: run.written.as_ref().map(written),
    }
}

fn written(written: &WrittenSummary) -> JsonWritten<'_> {
    JsonWritten {
        folder: written.folder.as_deref().map(name),
        committed: written.committed,
        mechanism: written.mechanism,
        count: written.count,
        bytes: written.bytes,
        files: written
            .files
            .iter()
            .map(|(path, bytes)| JsonFile {
                path: name(path),
                bytes: *bytes,
            })
            .collect(),
        removed: written.removed.iter().map(|path| name(path)).collect(),
    }
}

fn fallback<'a>(fallback: &'a Fallback, sources: &Sources<'_>) -> JsonFallback<'a> {
    let range = fallback.path.as_deref().zip(fallback.range);
    JsonFallback {
        what: &fallback.what,
        path: fallback.path.as_deref().map(name),
        range: range.and_then(|(path, range)| span(path, range, sources)),
    }
}

fn fit<'a>(fit: &'a FitSummary, sources: &Sources<'_>) -> JsonFit<'a> {
    JsonFit {
        path: name(&fit.path),
        range: fit.range.and_then(|range| span(&fit.path, range, sources)),
        epochs_seen: fit.epochs_seen,
        batches_seen: fit.batches_seen,
        stopped: fit.stopped,
        loss: &fit.loss,
        metrics: &fit.metrics,
    }
}

/// Null only when the report lacks the text that the range refers to.
fn span(path: &Path, range: Range, sources: &Sources<'_>) -> Option<Span> {
    let span = sources.span(path, range)?;
    let place = |(line, column)| Place { line, column };
    Some(Span {
        start: place(span.start),
        end: place(span.end),
    })
}

fn cell(path: &Path, range: Range, sources: &Sources<'_>) -> Option<usize> {
    sources.span(path, range)?.cell
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
