//! Short runs of variants of a script, one after the other, each in a process of its own that is forked from one which has
//! imported Keras already: importing takes several times as long as training for some hundred steps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use trace::{ExceptionMessage, Frame, Message, ScoreMessage};

use crate::tracer::real_path;
use crate::{Event, Request, Session, SessionError};

/// What to try.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Texts to run in place of files.
    pub overrides: BTreeMap<PathBuf, String>,
    /// Added to the seeds of the script.
    pub seed: u64,
    /// Which training of the script is judged, from 0.
    pub fit: usize,
    /// Steps after which it is judged and the trial ends.
    pub steps: u64,
    /// Steps after which it is judged and goes on, if its skill is not below that.
    pub checks: Vec<(u64, f64)>,
    /// Whether losses use the logits that softmax and sigmoid leave, as on TensorFlow; as in the run when `None`. On the engine.
    pub remember_logits: Option<bool>,
    /// Seconds of processor time in training after which it is judged and ends in any case.
    pub seconds: f64,
}

/// What happens in trials.
#[derive(Debug)]
pub enum TrialEvent {
    /// The process has imported what the trials need; the first of them starts at once.
    Ready,
    /// The model of the current trial was judged.
    Score(ScoreMessage),
    /// The current trial raised.
    Raised(ExceptionMessage),
    /// The engine does not cover the current trial.
    NotCovered(String),
    /// The current trial is over.
    Ended {
        /// Seconds of processor time it took.
        seconds: f64,
    },
    /// No further trials can be had.
    Gone,
}

/// A process that serves trials. Dropping it ends it and everything that it has started.
#[derive(Debug)]
pub struct Trials {
    session: Session,
}

impl Trials {
    /// Starts the process that trials of `request`'s script are forked from, which imports `modules` beforehand. They train
    /// by the mechanism that `request` names.
    pub fn start(request: &Request, modules: &[String]) -> Result<Trials, SessionError> {
        let mut settings = serde_json::Map::new();
        settings.insert("trials".into(), true.into());
        settings.insert("modules".into(), modules.into());
        let session = Session::start_with(request, &settings)?;
        Ok(Trials { session })
    }

    /// Hands in a trial; the one before must be over.
    pub fn submit(&mut self, trial: &Trial) -> Result<(), SessionError> {
        let overrides: serde_json::Map<String, serde_json::Value> = trial
            .overrides
            .iter()
            .map(|(path, text)| {
                (
                    real_path(path).to_string_lossy().into_owned(),
                    text.as_str().into(),
                )
            })
            .collect();
        let described = serde_json::json!({
            "overrides": overrides,
            "seed": trial.seed,
            "fit": trial.fit,
            "steps": trial.steps,
            "checks": trial.checks,
            "remember_logits": trial.remember_logits,
            "seconds": trial.seconds,
        });
        self.session
            .send_line(&described.to_string())
            .map_err(SessionError::io("hand in what is to be tried"))
    }

    /// Whether events may still come.
    pub fn alive(&self) -> bool {
        self.session.alive()
    }

    /// The next event; `None` when none came in time.
    pub fn next_event(&mut self, timeout: Duration) -> Option<TrialEvent> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.session.next_event(left)?;
            if matches!(event, Event::TraceError(_)) {
                // It cannot be understood any more, so it is of no use.
                self.session.stop();
            }
            if let Some(event) = of_trial(event) {
                return Some(event);
            }
        }
    }
}

/// What an event of the session means for a trial; `None` for what the run itself is watched by.
fn of_trial(event: Event) -> Option<TrialEvent> {
    match event {
        Event::Frame(Frame::Message(message)) => match message {
            Message::TrialsReady => Some(TrialEvent::Ready),
            Message::Score(score) => Some(TrialEvent::Score(score)),
            Message::Exception(exception) => Some(TrialEvent::Raised(exception)),
            Message::Fallback(fallback) => Some(TrialEvent::NotCovered(fallback.what)),
            Message::TrialEnd(end) => Some(TrialEvent::Ended { seconds: end.seconds }),
            _ => None,
        },
        Event::Frame(Frame::Step(_)) => None,
        Event::TraceError(_) | Event::Exited { .. } => Some(TrialEvent::Gone),
    }
}
