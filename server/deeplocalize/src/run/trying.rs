//! Tries changes after a run: the candidates of [`repair`], run in processes forked from one that has Keras imported.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use finding::{Edit, Severity, Verdict};
use localize::Detector;
use program::Program;
use repair::{Facts, Next, Outcome, Search, Work};
use session::{Request, SessionError, Trial, TrialEvent, Trials};
use trace::{Fit, Trace};

use super::files::Files;
use super::{Cancel, Progress, RunOptions};
use crate::fixes;
use crate::report::{Report, Tried};

/// Whether changes are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TryFixes {
    /// When the run found a fault in a training.
    #[default]
    Auto,
    /// Also when the run could not tell.
    Always,
    /// Not at all.
    Never,
}

/// Steps of a trial at most; fewer where the script asks for fewer.
const STEPS: u64 = 1500;
/// Seeds that what is found is confirmed with, the script's own included.
const SEEDS: u64 = 3;
/// Share of the time for all trials that one gets at most.
const SHARE: f64 = 0.3;
/// How long importing may take, beside the time for trials.
const IMPORT_LIMIT: Duration = Duration::from_secs(120);
/// Processes that trials run in at the same time.
const WORKERS: usize = 2;
/// How many times the time given may pass on a machine that is busy with other things.
const PATIENCE: f64 = 4.0;
const POLL: Duration = Duration::from_millis(4);

/// Packages that scripts import again and again, and that do nothing but define things when they are imported.
const PACKAGES: [&str; 8] = [
    "keras",
    "tensorflow",
    "numpy",
    "pandas",
    "scipy",
    "sklearn",
    "matplotlib",
    "tf_keras",
];

/// Whether there is something to try for.
fn wanted(options: &RunOptions, cancel: &Cancel, report: &Report) -> bool {
    let faulty = report
        .findings
        .iter()
        .any(|finding| finding.severity >= Severity::Warning);
    report.errors.is_empty()
        && !cancel.is_cancelled()
        && options.detector == Detector::Default
        && match options.try_fixes {
            TryFixes::Never => false,
            TryFixes::Auto => report.verdict == Verdict::Faulty && faulty,
            TryFixes::Always => matches!(report.verdict, Verdict::Faulty | Verdict::Inconclusive),
        }
}

/// The training that is tried to mend: the last one that was seen.
fn training(trace: &Trace) -> Option<(usize, &Fit)> {
    let fits = trace.fits.iter().filter(|fit| fit.info.call == "fit");
    fits.enumerate().filter(|(_, fit)| fit.steps > 0).last()
}

/// Tries changes and works what helps into the report.
pub(super) fn try_fixes(
    options: &RunOptions,
    request: &Request,
    files: &Files,
    report: &mut Report,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Progress),
) {
    let Some(trace) = report.trace.clone() else { return };
    let Some((number, fit)) = training(&trace).filter(|_| wanted(options, cancel, report)) else {
        return;
    };
    // Nothing of the trials belongs into the log of the run.
    let request = &Request {
        log: None,
        ..request.clone()
    };
    let facts = Facts { fit, sources: files };
    let parts = repair::proposals(&facts, &report.findings);
    if parts.is_empty() {
        return;
    }
    let started = Instant::now();
    let mut search = Search::new(parts, SEEDS);
    let mut bench = Bench {
        request,
        files,
        fit: number,
        modules: modules(files),
        workers: Vec::new(),
        seconds: 0.0,
        limit: options.try_seconds,
        steps: STEPS,
    };
    if let Err(error) = bench.run(&mut search, cancel, progress) {
        tracing::warn!("trying changes ended early: {error}");
    }
    let (changes, trials) = search.tried();
    let credited = search.credited();
    tracing::debug!("{search:#?}");
    repair::credit(&mut report.findings, &credited);
    if let Some(best) = credited.first() {
        report.texts.extend(files.texts(&report.findings));
        tracing::info!("{} ({:?})", best.candidate.title(), best.effect);
    }
    if let Some(run) = &mut report.run {
        run.tried = Some(Tried {
            changes,
            trials,
            helped: credited.len(),
            seconds: started.elapsed().as_secs_f64(),
        });
    }
}

/// Modules that the script imports and that can be imported beforehand.
fn modules(files: &Files) -> Vec<String> {
    let mut modules: Vec<String> = Vec::new();
    for import in files
        .script_program()
        .into_iter()
        .flat_map(|program| &program.imports)
    {
        let package = import.module.split('.').next().unwrap_or_default();
        if PACKAGES.contains(&package) && !modules.contains(&import.module) {
            modules.push(import.module.clone());
        }
    }
    // What changes may need.
    if modules.iter().any(|module| module.starts_with("sklearn")) {
        modules.push("sklearn.preprocessing".to_owned());
    }
    modules
}

struct Worker {
    trials: Trials,
    ready: bool,
    current: Option<(usize, Outcome)>,
}

/// The processes that trials run in.
struct Bench<'a> {
    request: &'a Request,
    files: &'a Files,
    fit: usize,
    modules: Vec<String>,
    workers: Vec<Worker>,
    /// Seconds of processor time that trials took, and may take at most.
    seconds: f64,
    limit: f64,
    /// Steps of a trial.
    steps: u64,
}

impl Bench<'_> {
    /// Runs trials until the search is done, the time is over or somebody cancels.
    fn run(
        &mut self,
        search: &mut Search,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), SessionError> {
        for _ in 0..WORKERS.min(std::thread::available_parallelism().map_or(1, usize::from)) {
            self.workers.push(Worker {
                trials: Trials::start(self.request, &self.modules)?,
                ready: false,
                current: None,
            });
        }
        let started = Instant::now();
        let mut trying: Option<Instant> = None;
        progress(Progress::Trying {
            change: None,
            trials: 0,
        });
        let mut first = Some(search.first());
        loop {
            if cancel.is_cancelled() {
                return Ok(());
            }
            // On a machine that is busy with other things time passes while little is done: then it counts for less.
            let own = self.seconds / WORKERS as f64 / self.limit;
            let used = trying.map_or(0.0, |since| {
                own.max(since.elapsed().as_secs_f64() / self.limit / PATIENCE)
            });
            let late = trying.is_none() && started.elapsed() > IMPORT_LIMIT;
            if late || used > 1.5 || self.workers.is_empty() {
                return Ok(());
            }
            let mut done = false;
            for at in 0..self.workers.len() {
                if !self.workers[at].ready || self.workers[at].current.is_some() {
                    continue;
                }
                trying.get_or_insert_with(Instant::now);
                let next = match first.take() {
                    Some(work) => Next::Try(work),
                    None => search.next(used),
                };
                match next {
                    Next::Try(work) => {
                        progress(Progress::Trying {
                            change: work.candidate.as_ref().map(repair::Candidate::title),
                            trials: search.tried().1,
                        });
                        let refused = self.start(at, &work)?;
                        if let Some(outcome) = refused {
                            search.done(work.id, outcome);
                        }
                    }
                    Next::Wait => {}
                    Next::Done => done = true,
                }
            }
            if done {
                return Ok(());
            }
            self.take_in(search);
        }
    }

    /// Starts a trial; an outcome when there is nothing to run.
    fn start(&mut self, at: usize, work: &Work) -> Result<Option<Outcome>, SessionError> {
        let edits = work
            .candidate
            .as_ref()
            .map(repair::Candidate::edits)
            .unwrap_or_default();
        let Some(overrides) = patched(self.files, &edits) else {
            return Ok(Some(Outcome {
                score: None,
                raised: Some("the change leaves a text that is no Python".to_owned()),
            }));
        };
        let worker = &mut self.workers[at];
        worker.trials.submit(&Trial {
            overrides,
            seed: work.seed,
            fit: self.fit,
            steps: self.steps,
            checks: Vec::new(),
            seconds: self.limit * SHARE,
        })?;
        worker.current = Some((work.id, Outcome::default()));
        Ok(None)
    }

    fn take_in(&mut self, search: &mut Search) {
        let mut gone = false;
        for worker in &mut self.workers {
            while let Some(event) = worker.trials.next_event(POLL) {
                match (event, &mut worker.current) {
                    (TrialEvent::Ready, _) => worker.ready = true,
                    (TrialEvent::Score(score), Some((id, outcome))) => {
                        if *id == 0 && score.last && score.step > 0 {
                            // What took too long for the script as it is would for all others.
                            self.steps = self.steps.min(score.step);
                        }
                        outcome.score = Some(score);
                    }
                    (TrialEvent::Raised(exception), Some((_, outcome))) => {
                        outcome.raised = Some(format!("{}: {}", exception.class, exception.message));
                    }
                    (TrialEvent::Ended { seconds }, current) => {
                        self.seconds += seconds;
                        if let Some((id, outcome)) = current.take() {
                            search.done(id, outcome);
                        }
                    }
                    (TrialEvent::Gone, current) => {
                        if let Some((id, outcome)) = current.take() {
                            search.done(id, outcome);
                        }
                        worker.ready = false;
                        gone = true;
                        break;
                    }
                    (TrialEvent::Score(_) | TrialEvent::Raised(_), None) => {}
                }
            }
        }
        if gone {
            // Those that never got ready are still to come.
            self.workers
                .retain(|worker| worker.ready || worker.trials.alive());
        }
    }
}

/// The texts after edits, by absolute path; `None` when an edit does not fit, or breaks the syntax.
pub(super) fn patched(files: &Files, edits: &[Edit]) -> Option<BTreeMap<PathBuf, String>> {
    let mut overrides = files.overrides().clone();
    let mut paths: Vec<&PathBuf> = edits.iter().map(|edit| &edit.path).collect();
    paths.sort();
    paths.dedup();
    for shown in paths {
        let (absolute, text) = files.shown(shown)?;
        let text = fixes::apply(text, edits.iter().filter(|edit| edit.path == *shown))?;
        if !Program::parse(&text).syntax_errors.is_empty() {
            return None;
        }
        overrides.insert(absolute.to_owned(), text);
    }
    Some(overrides)
}
