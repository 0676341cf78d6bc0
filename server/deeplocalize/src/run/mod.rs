//! A localisation run from the script to the report: session → trace → localize, with progress and cancellation.

mod analyze;
mod files;
mod keep;
mod mechanism;
mod merge;
mod outcome;
mod replay;
mod trials;
mod trying;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use finding::Verdict;
use localize::{Detector, Ending, Localizer};
use session::{
    Cadence, Event, Interpreter, Limits, Mechanism, Request, Session, SessionError, Status, Writes,
};
use trace::{Fit, Frame, Scalar, Trace};

pub use analyze::{AnalyzeOptions, analyze};
pub use keep::latest_trace;

use crate::report::{Report, RunSummary, ToolError};
use files::Files;
use outcome::Outcome;
pub use replay::{Replayed, replay};
pub use trying::TryFixes;

/// Asks a run to end; clones share the request.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the run to end.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What to run and how far.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The script.
    pub script: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The interpreter, when not to be searched for.
    pub python: Option<PathBuf>,
    /// Whether to use an environment of the tool's own, and to make it first if there is none.
    pub managed: bool,
    /// Working directory of the script; the current one when `None`.
    pub directory: Option<PathBuf>,
    /// End after that many batches (over all trainings).
    pub max_batches: u64,
    /// End after that many seconds of training.
    pub max_seconds: f64,
    /// End when no training has started after that many seconds.
    pub startup_seconds: f64,
    /// Let the script run to its end, however clear the verdict, instead of stopping it early.
    pub keep_going: bool,
    /// Which analysis.
    pub detector: Detector,
    /// Where the script's output is kept; a file beside those of the last runs when `None`.
    pub log: Option<PathBuf>,
    /// Texts to run in place of what is on disk, which stays as it is: of the script, and of modules it imports.
    pub overrides: BTreeMap<PathBuf, String>,
    /// How the training is observed.
    pub mechanism: Mechanism,
    /// Where the trace is written; nowhere when `None`.
    pub trace: Option<PathBuf>,
    /// Whether changes are tried when a fault was found.
    pub try_fixes: TryFixes,
    /// Seconds that trying them may take, beside importing Keras once more.
    pub try_seconds: f64,
    /// Let a script that comes to its end write its files; they are kept apart from the user's own otherwise.
    pub write_files: bool,
    /// How the files are kept apart.
    pub writes: Writes,
    /// How much memory and disk the script may take.
    pub limits: Limits,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            script: PathBuf::new(),
            arguments: Vec::new(),
            python: None,
            directory: None,
            max_batches: 2000,
            max_seconds: 60.0,
            startup_seconds: 120.0,
            keep_going: false,
            detector: Detector::Default,
            log: None,
            overrides: BTreeMap::new(),
            managed: false,
            mechanism: Mechanism::Auto,
            trace: None,
            write_files: false,
            writes: Writes::default(),
            limits: Limits::default(),
            try_fixes: TryFixes::Auto,
            try_seconds: 10.0,
        }
    }
}

/// How far a run has got.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Something that takes its time is done before the script can run.
    Preparing(String),
    /// The interpreter was started.
    Starting {
        /// Its path.
        interpreter: PathBuf,
    },
    /// Keras was imported.
    Imported {
        /// Version of Keras.
        keras: String,
        /// Back end of Keras.
        backend: String,
    },
    /// A training step was seen.
    Training {
        /// Number of the training in the run, from 0.
        fit: usize,
        /// Epoch, from 0.
        epoch: u32,
        /// Epochs asked for.
        epochs: Option<u64>,
        /// Step over the training, from 0.
        step: u64,
        /// Latest loss.
        loss: f64,
        /// Latest metric, by name.
        metric: Option<(String, f64)>,
    },
    /// A change is tried.
    Trying {
        /// The change; `None` for the script as it is.
        change: Option<String>,
        /// Trials so far.
        trials: usize,
    },
}

/// Time between two looks at cancellation and budgets while nothing arrives.
const POLL: Duration = Duration::from_millis(50);
/// Shortest time between two reports of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(33);
/// How long a script may go on after its last training before it is ended.
const AFTER_TRAINING: Duration = Duration::from_secs(10);

/// Runs the script and localises its faults. Blocks until the run is over; everything it started is gone by then.
/// `progress` is called from this thread, at most some thirty times a second while training.
pub fn localize(options: &RunOptions, cancel: &Cancel, progress: &mut dyn FnMut(Progress)) -> Report {
    let mut files = match Files::with_script(options) {
        Ok(files) => files,
        Err(error) => return Report::failed(&options.script, error),
    };
    let interpreter = match mechanism::interpreter(options, progress) {
        Ok(interpreter) => interpreter,
        Err(error) => return Report::failed(&options.script, session_error(&error)),
    };
    let mut options = options.clone();
    let mut fallback = None;
    loop {
        let mut run = match Run::new(&options, &interpreter, files.trainings()) {
            Ok(run) => run,
            Err(error) => return Report::failed(&options.script, session_error(&error)),
        };
        run.follow(cancel, progress);
        if run.overlay_failed() {
            drop(run);
            options.writes = Writes::ApartInPython;
            continue;
        }
        if options.mechanism == Mechanism::Auto && matches!(run.outcome, Outcome::NotCovered(_)) {
            fallback = mechanism::fallback(&run.trace, &mut files);
            run.forget_log();
            drop(run);
            options.mechanism = Mechanism::Callback;
            continue;
        }
        let mut report = run.report(&mut files);
        if let Some(fallback) = fallback {
            mechanism::explain(&mut report, fallback);
        }
        trying::try_fixes(&options, &run.request, &files, &mut report, cancel, progress);
        return report;
    }
}

fn session_error(error: &SessionError) -> ToolError {
    ToolError {
        code: error.code().to_owned(),
        message: error.to_string(),
        path: None,
        hint: error.hint().unwrap_or_default().to_owned(),
    }
}

/// A run that is going on, or has ended.
struct Run<'a> {
    options: &'a RunOptions,
    interpreter: &'a Interpreter,
    request: Request,
    session: Session,
    log: Option<PathBuf>,
    trace: Trace,
    localizer: Localizer,
    /// `fit` calls in the text of the script.
    trainings: usize,
    started: Instant,
    first_step: Option<Instant>,
    last_training: Instant,
    analysis: Duration,
    ended: Option<Duration>,
    outcome: Outcome,
}

impl<'a> Run<'a> {
    fn new(
        options: &'a RunOptions,
        interpreter: &'a Interpreter,
        trainings: usize,
    ) -> Result<Self, SessionError> {
        let doing = |doing: &str| {
            let doing = doing.to_owned();
            move |source| SessionError::Io { doing, source }
        };
        let log = match &options.log {
            Some(log) => log.clone(),
            None => keep::new_log().map_err(doing("create the log file"))?,
        };
        let request = Request {
            script: options.script.clone(),
            arguments: options.arguments.clone(),
            python: interpreter.path.clone(),
            directory: options.directory.clone(),
            log: Some(log.clone()),
            cadence: match options.detector {
                Detector::Default => Cadence::default(),
                // The paper's counts are of every batch.
                Detector::DeepLocalize { .. } => Cadence {
                    dense_steps: u64::MAX,
                    every: 1,
                },
            },
            overrides: options.overrides.clone(),
            mechanism: options.mechanism,
            environment: Vec::new(),
            writes: options.writes,
            limits: options.limits,
            supervisor: std::env::current_exe().map_err(doing("find the running executable"))?,
        };
        let session = Session::start(&request)?;
        let now = Instant::now();
        Ok(Run {
            options,
            interpreter,
            request,
            session,
            log: Some(log),
            trace: Trace::default(),
            localizer: Localizer::new(options.detector),
            trainings,
            started: now,
            first_step: None,
            last_training: now,
            analysis: Duration::ZERO,
            ended: None,
            outcome: Outcome::Finished,
        })
    }

    /// Removes the log of a run that is made again, unless the user has asked for it.
    fn forget_log(&mut self) {
        if let (None, Some(log)) = (&self.options.log, self.log.take()) {
            let _ = std::fs::remove_file(log);
        }
    }

    /// Takes in events until the run is over.
    fn follow(&mut self, cancel: &Cancel, progress: &mut dyn FnMut(Progress)) {
        progress(Progress::Starting {
            interpreter: self.interpreter.path.clone(),
        });
        let mut reported = Instant::now();
        self.outcome = loop {
            if cancel.is_cancelled() {
                break Outcome::Cancelled;
            }
            if let Some(outcome) = self.over_budget() {
                break outcome;
            }
            match self.session.next_event(POLL) {
                None => {}
                Some(Event::Frame(frame)) => {
                    let step = matches!(frame, Frame::Step(_));
                    if let Frame::Message(trace::Message::Keras(keras)) = &frame {
                        progress(Progress::Imported {
                            keras: keras.version.clone(),
                            backend: keras.backend.clone(),
                        });
                    }
                    self.trace.push(frame);
                    self.last_training = Instant::now();
                    if step {
                        self.first_step.get_or_insert(self.last_training);
                        let look = Instant::now();
                        let verdict = self.localizer.observe(&self.trace);
                        self.analysis += look.elapsed();
                        if reported.elapsed() >= PROGRESS_EVERY {
                            reported = Instant::now();
                            self.trace
                                .fits
                                .last()
                                .map(training_progress)
                                .into_iter()
                                .for_each(&mut *progress);
                        }
                        if let Some(verdict) = verdict.filter(|verdict| self.may_stop(*verdict)) {
                            break Outcome::Clear(verdict);
                        }
                    }
                }
                Some(Event::TraceError(error)) => break Outcome::BadTrace(error.to_string()),
                Some(Event::Exited {
                    status: Status::Code(code),
                }) => break mechanism::ended(&self.trace, self.trainings).unwrap_or(Outcome::exited(code)),
                Some(Event::Exited {
                    status: Status::Signal(signal),
                }) => break Outcome::Killed(signal),
                Some(Event::Exited {
                    status: Status::Excess(excess),
                }) => break Outcome::Excess(excess),
                Some(Event::Exited {
                    status: Status::Stopped,
                }) => break Outcome::Cancelled,
            }
        };
        self.ended = Some(self.started.elapsed());
        self.session.stop();
    }

    /// Whether the script ended because it wrote to a file of another user, which an overlay may not take a copy of.
    fn overlay_failed(&self) -> bool {
        let exception = self.trace.exception.as_ref();
        self.options.writes == Writes::Apart
            && exception.is_some_and(|exception| exception.message.starts_with("[Errno 75]"))
    }

    /// Whether a clear verdict ends the run: a fault does, health must be shown by the last training of the script.
    fn may_stop(&self, verdict: Verdict) -> bool {
        !self.options.keep_going && (verdict == Verdict::Faulty || self.trace.fits.len() >= self.trainings)
    }

    fn over_budget(&self) -> Option<Outcome> {
        let trained = self.trace.fits.iter().any(|fit| fit.steps > 0);
        let idle = self.last_training.elapsed();
        if !trained {
            let limit = Duration::from_secs_f64(self.options.startup_seconds.clamp(0.0, 1e9));
            return (self.started.elapsed() > limit).then_some(Outcome::NeverTrained);
        }
        let steps: u64 = self.trace.fits.iter().map(|fit| fit.steps).sum();
        let training = self.first_step.map_or(0.0, |first| first.elapsed().as_secs_f64());
        if steps >= self.options.max_batches || training > self.options.max_seconds {
            return Some(Outcome::Budget);
        }
        let all_ended = self.trace.fits.iter().all(|fit| fit.end.is_some());
        (all_ended && self.trace.fits.len() >= self.trainings && idle > AFTER_TRAINING)
            .then_some(Outcome::Finished)
    }

    fn report(&mut self, files: &mut Files) -> Report {
        let look = Instant::now();
        let ending = match self.outcome {
            Outcome::Finished | Outcome::Exited(_) | Outcome::NotCovered(_) => Ending::Finished,
            Outcome::Budget => Ending::Budget,
            Outcome::Clear(_) => Ending::Clear,
            Outcome::Cancelled
            | Outcome::NeverTrained
            | Outcome::Killed(_)
            | Outcome::Excess(_)
            | Outcome::BadTrace(_) => Ending::Cancelled,
        };
        files.load(&self.trace);
        let diagnosis = self.localizer.diagnose(&self.trace, ending, &*files);
        let mut errors = self.outcome.errors(
            &self.trace,
            self.interpreter,
            &self.options.script,
            &self.session.stderr_tail(),
        );
        // What the script raised for want of Keras, or of somebody to ask, is no fault of the script.
        let circumstances = errors
            .iter()
            .any(|error| matches!(error.code.as_str(), "no-keras" | "waits-for-input"));
        let mut seen = diagnosis.findings;
        seen.retain(|finding| !circumstances || finding.source != finding::Source::Crash);
        let verdict = if circumstances {
            Verdict::Inconclusive
        } else {
            diagnosis.verdict
        };
        mechanism::mark(&mut seen, mechanism::name(&self.trace));
        let (verdict, findings) = merge::merge(verdict, diagnosis.failing, seen, files.static_findings());
        let analysis = self.analysis + look.elapsed();
        let trained = self.first_step.is_some();
        let (written, unkept) = written::settle(&self.session, self.options, &self.outcome, trained);
        errors.extend(unkept);
        let mut kept = self.options.trace.clone();
        if let Some(path) = &self.options.trace
            && let Err(error) = keep::write(&self.trace, path)
        {
            errors.push(error);
            kept = None;
        }
        let ended = self.ended.unwrap_or_default();
        let startup = self
            .first_step
            .map_or(ended, |first| first.duration_since(self.started));
        let start = self.trace.start.as_ref();
        let keras = self.trace.keras.as_ref();
        Report {
            verdict: if errors.is_empty() || verdict != Verdict::Healthy {
                verdict
            } else {
                Verdict::Inconclusive
            },
            files: vec![self.options.script.clone()],
            run: Some(RunSummary {
                interpreter: self.interpreter.path.clone(),
                python: start.map(|start| start.python.clone()).unwrap_or_default(),
                keras: keras.map(|keras| keras.version.clone()).unwrap_or_default(),
                backend: keras.map(|keras| keras.backend.clone()).unwrap_or_default(),
                mechanism: mechanism::name(&self.trace),
                fallback: mechanism::fallback(&self.trace, files),
                fits: self
                    .trace
                    .fits
                    .iter()
                    .map(|fit| outcome::summary(fit, &self.outcome, files))
                    .collect(),
                startup_seconds: startup.as_secs_f64(),
                training_seconds: ended.saturating_sub(startup).as_secs_f64(),
                analysis_seconds: analysis.as_secs_f64(),
                trace: kept,
                log: self.log.clone(),
                tried: None,
                written,
            }),
            texts: files.texts(&findings),
            cells: BTreeMap::new(),
            trace: Some(Arc::new(std::mem::take(&mut self.trace))),
            findings,
            errors,
        }
    }
}

fn training_progress(fit: &Fit) -> Progress {
    let loss = fit
        .scalar(Scalar::Loss)
        .iter()
        .rev()
        .copied()
        .find(|loss| !loss.is_nan());
    let metric = fit.metrics().find_map(|(name, history)| {
        let value = history
            .column(0)
            .iter()
            .rev()
            .copied()
            .find(|value| value.is_finite())?;
        Some((name.to_owned(), value))
    });
    let moment = fit.scalars().moments().last();
    Progress::Training {
        fit: fit.info.fit,
        epoch: moment.map_or(0, |moment| moment.epoch),
        epochs: fit.info.epochs,
        step: moment.map_or(0, |moment| moment.step),
        loss: loss.unwrap_or(f64::NAN),
        metric,
    }
}
