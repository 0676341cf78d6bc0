//! Reads requests, answers them.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use engine::Unsupported;
use serde_json::{Value, json};

use crate::arrays::{ArrayError, Shared};
use crate::learner::Learner;
use crate::request::Request;

/// Largest request; the configuration of a very large model is some megabytes.
const MOST_BYTES: usize = 64 << 20;
/// The descriptor of the shared file, as the tracer passes it.
const SHARED: &str = "/dev/fd/3";
/// Most models at a time.
const MOST_MODELS: usize = 4096;

/// Why a request was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Part of the model or of what it was compiled with is not covered.
    #[error("{0}")]
    Unsupported(#[from] Unsupported),
    /// A batch or weight does not fit.
    #[error("{0}")]
    Engine(#[from] engine::EngineError),
    /// An array could not be had.
    #[error("{0}")]
    Array(#[from] ArrayError),
    /// The request contradicts itself or earlier ones.
    #[error("{0}")]
    Request(String),
}

/// An answer: JSON, and numbers that follow it.
pub type Answer = (Value, Vec<u8>);

/// The models that were taken over.
#[derive(Debug)]
pub struct Server {
    shared: Shared,
    models: BTreeMap<u64, Learner>,
}

/// The hidden subcommand: serves the process at the other end of standard input and output until that ends.
pub fn serve() -> ExitCode {
    // What a panic prints would end up in the script's own output; it becomes an answer instead.
    std::panic::set_hook(Box::new(|_| {}));
    let shared = OpenOptions::new().read(true).write(true).open(SHARED);
    let served =
        shared.and_then(|shared| Server::new(shared).run(&mut io::stdin().lock(), &mut io::stdout().lock()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

impl Server {
    /// A server without models, whose arrays are in this file.
    pub fn new(shared: File) -> Self {
        Server {
            shared: Shared::new(shared),
            models: BTreeMap::new(),
        }
    }

    /// Answers requests until there are no more.
    pub fn run(&mut self, requests: &mut impl Read, answers: &mut impl Write) -> io::Result<()> {
        while let Some(request) = read_request(requests)? {
            let (mut answer, mut numbers) = match request {
                Asked::Whole(request) => self.answer(&request),
                Asked::TooLong(length) => {
                    refused(&format!("a request of {length} bytes is beyond the limit"))
                }
            };
            let mut text = answer.to_string();
            if u32::try_from(text.len().max(numbers.len())).is_err() {
                (answer, numbers) = refused("the answer has more than 4 GiB");
                text = answer.to_string();
            }
            // Both fit, as was just seen.
            let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
            answers.write_all(&length(text.len()))?;
            answers.write_all(&length(numbers.len()))?;
            answers.write_all(text.as_bytes())?;
            answers.write_all(&numbers)?;
            answers.flush()?;
        }
        Ok(())
    }

    /// Answers one request.
    pub fn answer(&mut self, request: &[u8]) -> Answer {
        let request = match serde_json::from_slice(request) {
            Ok(request) => request,
            Err(error) => {
                return refused(&format!("the request does not parse: {error}"));
            }
        };
        let done = catch_unwind(AssertUnwindSafe(|| self.fulfil(request)));
        match done {
            Ok(Ok(answer)) => answer,
            Ok(Err(Refusal::Unsupported(what))) => (json!({"not_covered": what.to_string()}), Vec::new()),
            Ok(Err(refusal)) => refused(&refusal.to_string()),
            Err(panic) => {
                let text = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or_default();
                refused(&format!("the engine failed: {text}"))
            }
        }
    }

    fn fulfil(&mut self, request: Request) -> Result<Answer, Refusal> {
        match request {
            Request::Open {
                model,
                graph,
                compile,
                remember_logits,
                weights,
                seed,
            } => {
                if self.models.len() >= MOST_MODELS && !self.models.contains_key(&model) {
                    return Err(Refusal::Request(format!("more than {MOST_MODELS} models")));
                }
                let learner = Learner::open(&graph, &compile, remember_logits, &weights, seed)?;
                let answer = learner.describe();
                self.models.insert(model, learner);
                Ok((answer, Vec::new()))
            }
            Request::Train {
                model,
                weights,
                fresh,
                batches,
                rates,
                probed,
            } => {
                let (learner, shared) = self.learner(model)?;
                learner.update(&weights, fresh, shared)?;
                learner.train(&batches, &rates, &probed, shared)
            }
            Request::Evaluate {
                model,
                weights,
                fresh,
                batches,
            } => {
                let (learner, shared) = self.learner(model)?;
                learner.update(&weights, fresh, shared)?;
                learner.evaluate(&batches, shared)
            }
            Request::Predict { model, weights, x } => {
                let (learner, shared) = self.learner(model)?;
                learner.update(&weights, false, shared)?;
                learner.predict(&x, shared)
            }
            Request::Finish { model } => {
                self.learner(model)?.0.finish();
                Ok((json!({}), Vec::new()))
            }
            Request::Close { model } => {
                self.models.remove(&model);
                Ok((json!({}), Vec::new()))
            }
            Request::Weights { model, into } => {
                let (learner, shared) = self.learner(model)?;
                learner.weights(&into, shared)?;
                Ok((json!({}), Vec::new()))
            }
        }
    }

    fn learner(&mut self, model: u64) -> Result<(&mut Learner, &mut Shared), Refusal> {
        match self.models.get_mut(&model) {
            Some(learner) => Ok((learner, &mut self.shared)),
            None => Err(Refusal::Request(format!("there is no model {model}"))),
        }
    }
}

fn refused(why: &str) -> Answer {
    (json!({"error": why}), Vec::new())
}

/// What came as a request.
enum Asked {
    Whole(Vec<u8>),
    /// It was passed over; how many bytes it had.
    TooLong(usize),
}

/// The next request; `None` at the end of the stream.
fn read_request(requests: &mut impl Read) -> io::Result<Option<Asked>> {
    let mut length = [0_u8; 4];
    match requests.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MOST_BYTES {
        if io::copy(&mut requests.take(length as u64), &mut io::sink())? < length as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok(Some(Asked::TooLong(length)));
    }
    let mut request = Vec::new();
    // Grows with what really arrives.
    if requests.take(length as u64).read_to_end(&mut request)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Asked::Whole(request)))
}
