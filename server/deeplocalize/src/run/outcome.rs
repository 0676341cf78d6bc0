//! How a run ended, and what of that the user has to know.

use std::path::Path;

use finding::Verdict;
use session::{Excess, Interpreter};
use trace::{Fit, Scalar, Trace};

use super::files::Files;
use crate::report::{FitSummary, ToolError};

/// Why no more frames come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The script ended with status 0, or had nothing left to train.
    Finished,
    /// The script ended with this status.
    Exited(i32),
    /// The script was killed by this signal, not by us.
    Killed(i32),
    /// The budget of batches or seconds was used up.
    Budget,
    /// The verdict was clear.
    Clear(Verdict),
    /// Somebody cancelled the run.
    Cancelled,
    /// The script was ended because it took too much.
    Excess(Excess),
    /// No training started within the time for that.
    NeverTrained,
    /// The channel broke.
    BadTrace(String),
}

impl Outcome {
    pub fn exited(code: i32) -> Outcome {
        if code == 0 {
            Outcome::Finished
        } else {
            Outcome::Exited(code)
        }
    }

    /// What kept the tool from judging the script.
    pub fn errors(
        &self,
        trace: &Trace,
        interpreter: &Interpreter,
        script: &Path,
        stderr: &str,
    ) -> Vec<ToolError> {
        let error = |code: &str, message: String, hint: &str| ToolError {
            code: code.to_owned(),
            message,
            path: Some(script.to_owned()),
            hint: hint.to_owned(),
        };
        let trained = trace.fits.iter().any(|fit| fit.steps > 0);
        let notice = |name: &str| trace.notices.iter().find(|notice| notice.name == name);
        let last_words = || {
            stderr
                .trim()
                .lines()
                .last()
                .map(|line| format!(" ({})", line.trim()))
                .unwrap_or_default()
        };
        let mut errors = Vec::new();
        match self {
            Outcome::BadTrace(reason) => errors.push(error(
                "bad-trace",
                format!("the channel to the script broke: {reason}"),
                "does the script write to file descriptors it did not open?",
            )),
            Outcome::Killed(signal) => errors.push(error(
                "script-killed",
                format!(
                    "the script was killed by {}{}",
                    signal_name(*signal),
                    last_words()
                ),
                if *signal == 9 {
                    "the system kills a process that runs out of memory with SIGKILL"
                } else {
                    ""
                },
            )),
            Outcome::Excess(Excess::Memory(bytes)) => errors.push(error(
                "too-much-memory",
                format!("the script took {} of memory; it was ended", amount(*bytes)),
                "raise --max-memory, or let the script load less data",
            )),
            Outcome::Excess(Excess::Written(bytes)) => errors.push(error(
                "too-much-written",
                format!("the script wrote {} of files; it was ended", amount(*bytes)),
                "raise --max-written if it needs to",
            )),
            // The tracer announces an end; whoever leaves past it says nothing.
            Outcome::Finished | Outcome::Exited(_) if trained && trace.exit.is_none() => {
                let code = match self {
                    Outcome::Exited(code) => *code,
                    _ => 0,
                };
                errors.push(error(
                    "script-left",
                    format!(
                        "the script ended with status {code} in the middle of its training{}{}",
                        meaning(code),
                        last_words()
                    ),
                    "what was seen until then is reported",
                ));
            }
            Outcome::NeverTrained => errors.push(error(
                "no-training",
                "the script did not start to train in the time given; it was ended".to_owned(),
                "raise --startup-seconds if it needs longer to load its data",
            )),
            _ => {}
        }
        if trained || !errors.is_empty() || *self == Outcome::Cancelled {
            return errors;
        }
        let exception = trace.exception.as_ref();
        let missing = exception.filter(|exception| {
            exception.class == "ModuleNotFoundError"
                && ["'keras", "'tensorflow", "'tf_keras", "'jax", "'torch"]
                    .iter()
                    .any(|name| exception.message.contains(name))
        });
        if let Some(exception) = missing {
            errors.push(error(
                "no-keras",
                format!(
                    "{} cannot import Keras: {}",
                    interpreter.path.display(),
                    exception.message
                ),
                "choose another interpreter with --python, or install keras and tensorflow into this one",
            ));
        } else if let Some(notice) = notice("input") {
            let line = notice
                .site
                .as_ref()
                .map(|site| format!(" in line {}", site.line))
                .unwrap_or_default();
            errors.push(error(
                "waits-for-input",
                format!("the script asks for input{line} before it trains, and a run has nobody to ask"),
                "pass what it asks for as an argument: deeplocalize run SCRIPT ARGS…",
            ));
        } else if let Some(notice) = notice("private-keras") {
            errors.push(error(
                "unsupported",
                notice.text.clone(),
                "from tensorflow.keras import layers, models",
            ));
        } else if let Some(exception) = exception {
            errors.push(error(
                "script-crashed",
                format!("the script raised {} before it trained", exception.class),
                "",
            ));
        } else if let Some(notice) = notice("custom-loop").or_else(|| notice("unsupported")) {
            errors.push(error("unsupported", notice.text.clone(), ""));
        } else {
            let ended = match (trace.exit.as_ref(), self) {
                (Some(exit), _) if exit.code != 0 => {
                    format!("the script ended with status {} without a call of fit", exit.code)
                }
                (None, Outcome::Exited(code)) => format!(
                    "the script ended with status {code} without a call of fit{}{}",
                    meaning(*code),
                    last_words()
                ),
                _ => "the script ended without a call of fit, so there was no training to look at".to_owned(),
            };
            errors.push(error(
                "no-training",
                ended,
                "does it train only with certain arguments? deeplocalize run SCRIPT ARGS…",
            ));
        }
        errors
    }
}

/// What a status says beyond its number.
fn meaning(code: i32) -> String {
    match code {
        137 => " (as after SIGKILL, which ends what runs out of memory)".to_owned(),
        129..=159 => format!(" (as after {})", signal_name(code - 128)),
        _ => String::new(),
    }
}

/// Bytes as people say them.
fn amount(bytes: u64) -> String {
    match bytes as f64 / f64::from(1 << 20) {
        mebibytes if mebibytes >= 1024.0 => format!("{:.1} GiB", mebibytes / 1024.0),
        mebibytes => format!("{mebibytes:.0} MiB"),
    }
}

fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |signal| signal.to_string())
}

/// Values a summary lists at most.
const LISTED: usize = 200;

/// What one training did.
pub(super) fn summary(fit: &Fit, outcome: &Outcome, files: &Files) -> FitSummary {
    let (path, range) = fit
        .info
        .site
        .as_ref()
        .and_then(|site| files.place(site))
        .unwrap_or_default();
    let stopped = match (fit.end.as_deref(), outcome) {
        (Some("finished"), _) => "finished",
        (Some(_), _)
        | (None, Outcome::Exited(_) | Outcome::Killed(_) | Outcome::BadTrace(_) | Outcome::Excess(_)) => {
            "script-error"
        }
        (None, Outcome::Clear(Verdict::Faulty)) => "fault-localised",
        // Health was clear: as many steps as the verdict needed, which is a budget too.
        (None, Outcome::Clear(_)) => "budget",
        (None, Outcome::Budget) => "budget",
        (None, Outcome::Cancelled) => "cancelled",
        (None, Outcome::Finished | Outcome::NeverTrained) => "finished",
    };
    let moment = fit.scalars().moments().last();
    let batches =
        |values: ndarray::ArrayView1<'_, f64>| values.iter().copied().take(LISTED).collect::<Vec<f64>>();
    let (loss, metrics) = if fit.epochs.is_empty() {
        let metrics = fit
            .metrics()
            .map(|(name, history)| (name.to_owned(), batches(history.column(0))))
            .collect();
        (batches(fit.scalar(Scalar::Loss)), metrics)
    } else {
        let of = |name: &str| {
            fit.epochs
                .iter()
                .filter_map(|epoch| epoch.logs.get(name).copied())
                .collect::<Vec<f64>>()
        };
        let names = fit
            .epochs
            .iter()
            .flat_map(|epoch| epoch.logs.keys())
            .filter(|name| *name != "loss");
        (of("loss"), names.map(|name| (name.clone(), of(name))).collect())
    };
    FitSummary {
        path,
        range,
        epochs_seen: moment.map_or(0, |moment| moment.epoch + 1),
        batches_seen: fit.steps,
        stopped,
        loss,
        metrics,
    }
}
