//! Localises the faults of a run from the trace files that its workers have written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use finding::{Evidence, Finding, Verdict};
use localize::{Detector, Ending, Localizer};
use trace::{Site, Trace};

use super::files::Files;
use super::outcome::{self, Outcome};
use super::{RunOptions, merge};
use crate::report::{Report, RunSummary, ToolError};

/// What to analyse.
#[derive(Clone, Debug)]
pub struct AnalyzeOptions {
    /// The trace files, one of each worker.
    pub traces: Vec<PathBuf>,
    /// The script, when it is not where it was run.
    pub script: Option<PathBuf>,
    /// Which analysis.
    pub detector: Detector,
}

/// The trace of one worker and what the analysis says about it.
struct Worker {
    trace: Trace,
    localizer: Localizer,
}

/// Reads the traces and localises the faults they show. All workers train the same model, each on data of its own, so
/// what one of them shows is a fault of the run.
pub fn analyze(options: &AnalyzeOptions) -> Report {
    let first = options.traces.first().cloned().unwrap_or_default();
    let begun = Instant::now();
    let mut workers = Vec::new();
    for path in &options.traces {
        match Worker::read(path, options.detector) {
            Ok(worker) => workers.push(worker),
            Err(error) => return Report::failed(path, error),
        }
    }
    let Some(remote) = workers.iter().find_map(|worker| script_of(&worker.trace)) else {
        let error = ToolError {
            code: "no-training".to_owned(),
            message: format!("no training is recorded in {}", first.display()),
            path: Some(first.clone()),
            hint: "the script imports deeplocalize before Keras and gives deeplocalize.Tracer to fit"
                .to_owned(),
        };
        return Report::failed(&first, error);
    };
    let script = options.script.clone().unwrap_or_else(|| shown(&remote));
    let run = RunOptions {
        script: script.clone(),
        ..RunOptions::default()
    };
    let mut files = match Files::with_script(&run) {
        Ok(files) => files,
        Err(mut error) => {
            if options.script.is_none() {
                error.hint = "the trace comes from elsewhere: name the script with --script".to_owned();
            }
            return Report::failed(&script, error);
        }
    };
    files.stand_in(&remote, &script);
    workers.iter().for_each(|worker| files.load(&worker.trace));

    let mut verdict = None;
    let mut failing = false;
    let mut seen: Vec<(Finding, usize)> = Vec::new();
    for worker in &workers {
        let ended = worker.trace.fits.iter().all(|fit| fit.end.is_some());
        let ending = if ended { Ending::Finished } else { Ending::Budget };
        let diagnosis = worker.localizer.diagnose(&worker.trace, ending, &files);
        failing |= diagnosis.failing;
        verdict = Some(verdict.map_or(diagnosis.verdict, |known| worse(known, diagnosis.verdict)));
        diagnosis
            .findings
            .into_iter()
            .for_each(|finding| add(&mut seen, finding));
    }
    let count = workers.len();
    let findings = seen
        .into_iter()
        .map(|(finding, workers)| in_workers(finding, workers, count))
        .collect();
    let verdict = verdict.unwrap_or(Verdict::Inconclusive);
    let (verdict, findings) = merge::merge(verdict, failing, findings, files.static_findings());
    let start = workers.iter().find_map(|worker| worker.trace.start.as_ref());
    let keras = workers.iter().find_map(|worker| worker.trace.keras.as_ref());
    let fits = workers.iter().flat_map(|worker| &worker.trace.fits);
    let run = RunSummary {
        interpreter: start.map(|start| start.executable.clone()).unwrap_or_default(),
        python: start.map(|start| start.python.clone()).unwrap_or_default(),
        keras: keras.map(|keras| keras.version.clone()).unwrap_or_default(),
        backend: keras.map(|keras| keras.backend.clone()).unwrap_or_default(),
        mechanism: "callback",
        fits: fits
            .map(|fit| outcome::summary(fit, &Outcome::Finished, &files))
            .collect(),
        analysis_seconds: begun.elapsed().as_secs_f64(),
        trace: Some(first),
        ..RunSummary::default()
    };
    Report {
        verdict,
        files: vec![script],
        run: Some(run),
        texts: files.texts(&findings),
        cells: BTreeMap::new(),
        findings,
        errors: Vec::new(),
        // One worker's curves stand for all: they train the same network.
        trace: workers.into_iter().next().map(|worker| Arc::new(worker.trace)),
    }
}

impl Worker {
    /// Looks at the trace as at a run that is going on, since the paper's algorithm counts batches in their order.
    fn read(path: &Path, detector: Detector) -> Result<Worker, ToolError> {
        let frames = Trace::read_frames(path).map_err(|error| ToolError {
            code: "bad-trace-file".to_owned(),
            message: error.to_string(),
            path: Some(path.to_owned()),
            hint: String::new(),
        })?;
        let mut worker = Worker {
            trace: Trace::default(),
            localizer: Localizer::new(detector),
        };
        for frame in frames {
            worker.trace.push(frame);
            worker.localizer.observe(&worker.trace);
        }
        Ok(worker)
    }
}

/// The file that calls `fit`, where the training ran.
fn script_of(trace: &Trace) -> Option<PathBuf> {
    let of_fit = trace.fits.iter().find_map(|fit| fit.info.site.as_ref());
    let of_crash = || {
        let frames = &trace.exception.as_ref()?.frames;
        frames.iter().find(|frame| frame.user).map(|frame| &frame.site)
    };
    of_fit.or_else(of_crash).map(|site: &Site| site.path.clone())
}

/// The path as people would write it here.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).to_owned()
}

fn worse(one: Verdict, other: Verdict) -> Verdict {
    let rank = |verdict: Verdict| match verdict {
        Verdict::Crashed => 3,
        Verdict::Faulty => 2,
        Verdict::Inconclusive => 1,
        Verdict::Healthy => 0,
    };
    if rank(other) > rank(one) { other } else { one }
}

/// The same fault in several workers is one finding, as the surest of them saw it.
fn add(seen: &mut Vec<(Finding, usize)>, finding: Finding) {
    let same = |(known, _): &&mut (Finding, usize)| {
        (known.code, &known.path, known.range) == (finding.code, &finding.path, finding.range)
    };
    match seen.iter_mut().find(same) {
        Some((known, workers)) => {
            *workers += 1;
            if (finding.severity, finding.confidence) > (known.severity, known.confidence) {
                *known = finding;
            }
        }
        None => seen.push((finding, 1)),
    }
}

fn in_workers(mut finding: Finding, workers: usize, count: usize) -> Finding {
    if count > 1 {
        finding.evidence.push(Evidence {
            text: format!("seen in {workers} of {count} workers"),
            path: finding.path.clone(),
            range: None,
            epoch: None,
            batch: None,
            phase: None,
        });
    }
    finding
}
