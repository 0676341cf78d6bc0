//! The processes that trials run in, and what comes of them.

use std::time::{Duration, Instant};

use repair::{Next, Outcome, Search, Work};
use session::{Request, SessionError, Trial, TrialEvent, Trials};

use super::files::Files;
use super::trying::patched;
use super::{Cancel, Progress};

/// Share of the time for all trials that one gets at most.
const SHARE: f64 = 0.3;
/// Steps after which a trial that is clearly behind, or broken, is dropped.
const CHECKS: [u64; 2] = [200, 600];
/// How long importing may take, beside the time for trials.
const IMPORT_LIMIT: Duration = Duration::from_secs(120);
/// Processes that trials run in at the same time.
const WORKERS: usize = 2;
/// How many times the time given may pass on a machine that is busy with other things.
const PATIENCE: f64 = 4.0;
const POLL: Duration = Duration::from_millis(4);

/// How a series of trials ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Everything that could be tried in the time was tried.
    Done,
    /// The engine does not cover the script as it is.
    NotCovered(String),
    /// The script as it is could not be judged.
    NoTrial(String),
    /// Somebody cancelled.
    Cancelled,
}

/// A process that serves trials.
pub(super) struct Worker {
    trials: Trials,
    ready: bool,
    current: Option<(usize, Outcome)>,
}

/// The processes that trials run in.
pub(super) struct Bench<'a> {
    /// What is run.
    pub request: &'a Request,
    /// Its files.
    pub files: &'a Files,
    /// Which call of `fit` is judged.
    pub fit: usize,
    /// Modules imported beforehand.
    pub modules: Vec<String>,
    /// Seconds of processor time that trials may take.
    pub limit: f64,
    /// Steps of a trial.
    pub steps: u64,
    /// Whether losses use the logits that softmax and sigmoid leave; as in the run when `None`.
    pub remember_logits: Option<bool>,
    /// The processes; none before [`Bench::run`].
    pub workers: Vec<Worker>,
    /// Seconds of processor time that trials took.
    pub seconds: f64,
    /// What the engine does not cover of the script as it is.
    pub not_covered: Option<String>,
}

impl Bench<'_> {
    /// Runs trials until the search is done, the time is over or somebody cancels.
    pub(super) fn run(
        &mut self,
        search: &mut Search,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Ending, SessionError> {
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
                return Ok(Ending::Cancelled);
            }
            if let Some(ending) = self.obstacle(search) {
                return Ok(ending);
            }
            // On a machine that is busy with other things time passes while little is done: then it counts for less.
            let own = self.seconds / WORKERS as f64 / self.limit;
            let used = trying.map_or(0.0, |since| {
                own.max(since.elapsed().as_secs_f64() / self.limit / PATIENCE)
            });
            let late = trying.is_none() && started.elapsed() > IMPORT_LIMIT;
            if late {
                return Ok(Ending::NoTrial("importing Keras takes too long".to_owned()));
            }
            if self.workers.is_empty() && trying.is_none() {
                if let Some(what) = self.not_covered.take() {
                    return Ok(Ending::NotCovered(what));
                }
                return Ok(Ending::NoTrial(
                    "the interpreter ended before the first trial".to_owned(),
                ));
            }
            if used > 1.5 || self.workers.is_empty() {
                return Ok(Ending::Done);
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
                        let refused = self.start(at, &work, search)?;
                        if let Some(outcome) = refused {
                            search.done(work.id, outcome);
                        }
                    }
                    Next::Wait => {}
                    Next::Done => done = true,
                }
            }
            if done {
                return Ok(self.obstacle(search).unwrap_or(Ending::Done));
            }
            self.take_in(search);
        }
    }

    /// What keeps the script as it is from being judged, once that is known.
    fn obstacle(&self, search: &Search) -> Option<Ending> {
        let outcome = search.baseline()?;
        if let Some(what) = &self.not_covered {
            return Some(Ending::NotCovered(what.clone()));
        }
        match (&outcome.score, &outcome.raised) {
            (Some(_), _) => None,
            (None, Some(raised)) => Some(Ending::NoTrial(format!("the script raised {raised}"))),
            (None, None) => Some(Ending::NoTrial(
                "the script came to no training that could be judged in the time given".to_owned(),
            )),
        }
    }

    /// Starts a trial; an outcome when there is nothing to run.
    fn start(&mut self, at: usize, work: &Work, search: &Search) -> Result<Option<Outcome>, SessionError> {
        let edits = work
            .candidate
            .as_ref()
            .map(repair::Candidate::edits)
            .unwrap_or_default();
        let Some(overrides) = patched(self.files, &edits) else {
            return Ok(Some(Outcome {
                raised: Some("the change leaves a text that is no Python".to_owned()),
                ..Outcome::default()
            }));
        };
        let worker = &mut self.workers[at];
        worker.trials.submit(&Trial {
            overrides,
            seed: work.seed,
            fit: self.fit,
            steps: self.steps,
            checks: search.bars(work, &CHECKS),
            remember_logits: self.remember_logits,
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
                        if *id == 0 && score.late && score.step > 0 {
                            // What took too long for the script as it is would for all others.
                            self.steps = self.steps.min(score.step);
                        }
                        outcome.take(score);
                    }
                    (TrialEvent::Raised(exception), Some((_, outcome))) => {
                        outcome.raised = Some(format!("{}: {}", exception.class, exception.message));
                    }
                    (TrialEvent::NotCovered(what), Some((id, outcome))) => {
                        if *id == 0 {
                            self.not_covered = Some(what.clone());
                        }
                        outcome.raised = Some(format!("the engine does not cover {what}"));
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
                    (TrialEvent::NotCovered(what), None) => self.not_covered = Some(what),
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
