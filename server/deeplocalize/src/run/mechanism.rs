//! Which mechanism a run used, and what kept it from the other.

use finding::{Finding, Source};
use session::{Interpreter, SessionError};
use trace::Trace;

use super::files::Files;
use super::outcome::Outcome;
use super::{Progress, RunOptions};
use crate::report::{Fallback, Report};

pub(super) const IMPERATIVE: &str = "imperative";
pub(super) const CALLBACK: &str = "callback";

/// The mechanism by which the run was observed.
pub(super) fn name(trace: &Trace) -> &'static str {
    match &trace.mechanism {
        Some(mechanism) if mechanism.name == IMPERATIVE => IMPERATIVE,
        _ => CALLBACK,
    }
}

/// What of the script is not covered, as far as this run has told.
pub(super) fn fallback(trace: &Trace, files: &mut Files) -> Option<Fallback> {
    files.load(trace);
    let chosen = trace.mechanism.as_ref();
    let (what, site) = match &trace.fallback {
        Some(fallback) => (fallback.what.clone(), fallback.site.as_ref()),
        None => (chosen?.instead.clone()?, chosen?.site.as_ref()),
    };
    let (path, range) = site.and_then(|site| files.place(site)).unzip();
    Some(Fallback {
        what,
        path,
        range: range.flatten(),
    })
}

/// How a run ended whose script was ended for want of cover. When that comes after the last training of the script,
/// everything there is to see has been seen; not so when the script raised an error, which must be its own.
pub(super) fn ended(trace: &Trace, trainings: usize) -> Option<Outcome> {
    let fallback = trace.fallback.as_ref()?;
    let seen = trace.fits.len() >= trainings.max(1) && trace.fits.iter().all(|fit| fit.end.is_some());
    Some(if seen && !fallback.raised {
        Outcome::Finished
    } else {
        Outcome::NotCovered(fallback.what.clone())
    })
}

/// Says in the report of a second run why the first one was given up.
pub(super) fn explain(report: &mut Report, fallback: Fallback) {
    for error in report.errors.iter_mut().filter(|error| error.code == "no-keras") {
        let what = fallback.what.trim_end_matches(',');
        error.message +=
            &format!("; the native engine, which needs only Keras and NumPy, does not cover {what}");
    }
    if let Some(run) = &mut report.run {
        run.fallback = Some(fallback);
    }
}

/// The interpreter to run with.
pub(super) fn interpreter(
    options: &RunOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Interpreter, SessionError> {
    let variable = |name: &str| std::env::var_os(name);
    if options.managed {
        return session::managed_interpreter(&variable, &mut |text| {
            progress(Progress::Preparing(text.to_owned()));
        });
    }
    session::find_interpreter(options.python.as_deref(), &options.script, &variable)
}

/// Says of findings that they were made by this mechanism.
pub(super) fn mark(findings: &mut [Finding], mechanism: &str) {
    if mechanism == IMPERATIVE {
        for finding in findings
            .iter_mut()
            .filter(|finding| finding.source == Source::Callback)
        {
            finding.source = Source::Imperative;
        }
    }
}
