//! Tries changes after a run: the candidates of [`repair`], run in processes forked from one that has Keras imported.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use finding::{Edit, Finding, Severity, Verdict};
use localize::Detector;
use program::Program;
use repair::{Candidate, Credited, Facts, Part, Search};
use session::{Mechanism, Request};
use trace::{Fit, Trace};

use super::files::Files;
use super::trials::{Bench, Ending};
use super::{Cancel, Progress, RunOptions};
use crate::fixes;
use crate::report::{Report, Tried};

/// Whether changes are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TryFixes {
    /// When the run found a fault in a training; on the engine also when it could not tell. Not where the script takes
    /// too long to come to its training.
    #[default]
    Auto,
    /// When the run found a fault or could not tell, without regard to the time.
    Always,
    /// Not at all.
    Never,
}

/// Steps of a trial at most; fewer where the script asks for fewer.
const STEPS: u64 = 1500;
/// How many times the time for trials a script may take to its training: that is mostly importing, which trials need not
/// do again, and the machine may be busy.
const PATIENCE: f64 = 4.0;
/// Seeds that what is found is confirmed with, the script's own included.
const SEEDS: u64 = 3;
/// Rules of faults that Keras on TensorFlow masks in training: it computes cross-entropy from the logits that softmax and
/// sigmoid leave.
const MASKED: [&str; 4] = ["DL101", "DL103", "DL104", "DL106"];

/// Of these, the one whose mending changes no answer: sigmoid and softmax of the same logits are largest for the same class.
const WITHOUT_EFFECT_ON_ANSWERS: &str = "DL104";

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
            // Where it costs little, also when the run alone could not tell.
            TryFixes::Auto => match report.verdict {
                Verdict::Faulty => faulty,
                Verdict::Inconclusive => on_engine(report),
                Verdict::Healthy | Verdict::Crashed => false,
            },
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
    let facts = Facts { fit, sources: files };
    let parts = repair::proposals(&facts, &report.findings);
    if parts.is_empty() {
        return;
    }
    let started = Instant::now();
    let mut tried = Tried::default();
    let on_engine = on_engine(report);
    if too_long(options, report) {
        tried.obstacle = Some(format!(
            "the script takes too long to its training for the {} s that trials get; --try-fixes always tries",
            options.try_seconds
        ));
    } else {
        let mut trials = Trying {
            options,
            request,
            files,
            number,
            cancel,
            progress,
            seconds: 0.0,
        };
        let mut searched = trials.search(&parts, on_engine, &mut tried);
        if searched.credited().is_empty() && tried.obstacle.is_none() {
            searched = trials
                .masked(&report.findings, &parts, &mut tried)
                .unwrap_or(searched);
        }
        let mut credited = searched.credited();
        let helping = credited.len();
        if report.verdict != Verdict::Faulty {
            credited.retain(Credited::beyond_doubt);
        }
        tried.unsure = helping - credited.len();
        if let Some(best) = credited.first_mut() {
            with_masked(&mut best.candidate, &report.findings, &parts);
        }
        work_in(report, &mut tried, &credited, &searched.without_effect());
        if tried.helped > 0 {
            report.verdict = Verdict::Faulty;
            report.texts.extend(files.texts(&report.findings));
        }
    }
    tried.seconds = started.elapsed().as_secs_f64();
    if let Some(run) = &mut report.run {
        run.tried = Some(tried);
    }
}

/// Works what the trials showed into the findings.
fn work_in(report: &mut Report, tried: &mut Tried, credited: &[Credited], without_effect: &[&Part]) {
    repair::credit(&mut report.findings, credited, without_effect);
    super::mechanism::mark(&mut report.findings, tried.mechanism);
    tried.helped = credited.len();
    tried.idle = without_effect.iter().map(|part| part.edits.clone()).collect();
}

/// Whether the engine trained the script in the run.
fn on_engine(report: &Report) -> bool {
    let run = report.run.as_ref();
    run.is_some_and(|run| run.mechanism == super::mechanism::IMPERATIVE)
}

/// Adds the change of the output that answers do not depend on, since TensorFlow remembers its logits: without it the patch
/// would leave a fault behind.
fn with_masked(candidate: &mut Candidate, findings: &[Finding], parts: &[Part]) {
    let fixes = findings
        .iter()
        .filter(|finding| finding.code == WITHOUT_EFFECT_ON_ANSWERS && finding.severity >= Severity::Warning)
        .flat_map(|finding| &finding.fixes);
    for fix in fixes {
        let part = parts.iter().find(|part| part.edits == fix.edits).cloned();
        if let Some(together) = part.and_then(|part| candidate.clone().with(part)) {
            *candidate = together;
            return;
        }
    }
}

/// Whether trials would take longer than was asked for: each runs the script up to its training.
fn too_long(options: &RunOptions, report: &Report) -> bool {
    let startup = report.run.as_ref().map_or(0.0, |run| run.startup_seconds);
    options.try_fixes == TryFixes::Auto && startup > PATIENCE * options.try_seconds
}

/// What is needed to try changes.
struct Trying<'a> {
    options: &'a RunOptions,
    request: &'a Request,
    files: &'a Files,
    number: usize,
    cancel: &'a Cancel,
    progress: &'a mut dyn FnMut(Progress),
    /// Seconds of processor time that trials took.
    seconds: f64,
}

impl Trying<'_> {
    /// Searches among the changes: on the engine, else in Keras itself.
    fn search(&mut self, parts: &[Part], on_engine: bool, tried: &mut Tried) -> Search {
        let mut on_engine = on_engine;
        loop {
            let mut search = Search::new(parts.to_vec(), SEEDS);
            let ending = self.run(&mut search, on_engine, None);
            tracing::debug!("{ending:?}: {search:#?}");
            (tried.changes, tried.trials) = search.tried();
            tried.mechanism = if on_engine {
                super::mechanism::IMPERATIVE
            } else {
                super::mechanism::CALLBACK
            };
            match ending {
                Ending::NotCovered(_) if on_engine => {
                    on_engine = false;
                    continue;
                }
                Ending::NotCovered(what) | Ending::NoTrial(what) => tried.obstacle = Some(what),
                Ending::Done | Ending::Cancelled => {}
            }
            return search;
        }
    }

    /// Tries what is blamed for an output and a loss that only go together because TensorFlow remembers logits: trained as on
    /// the other back ends, and judged by the probabilities that the user gets.
    fn masked(&mut self, findings: &[Finding], parts: &[Part], tried: &mut Tried) -> Option<Search> {
        let blamed: Vec<Part> = findings
            .iter()
            .filter(|finding| MASKED.contains(&finding.code) && finding.severity >= Severity::Warning)
            .flat_map(|finding| finding.fixes.iter())
            .filter_map(|fix| parts.iter().find(|part| part.edits == fix.edits).cloned())
            .collect();
        if blamed.is_empty() || tried.mechanism != super::mechanism::IMPERATIVE {
            return None;
        }
        let mut search = Search::new(blamed, SEEDS).by_probabilities();
        // What the first search has used up must not keep this one from its few trials.
        self.seconds = 0.0;
        let ending = self.run(&mut search, true, Some(false));
        tracing::debug!("without remembered logits: {ending:?}: {search:#?}");
        tried.trials += search.tried().1;
        (ending == Ending::Done && !search.credited().is_empty()).then_some(search)
    }

    fn run(&mut self, search: &mut Search, on_engine: bool, remember_logits: Option<bool>) -> Ending {
        // Nothing of the trials belongs into the log of the run.
        let request = Request {
            log: None,
            mechanism: if on_engine {
                Mechanism::Imperative
            } else {
                Mechanism::Callback
            },
            ..self.request.clone()
        };
        let mut bench = Bench {
            request: &request,
            files: self.files,
            fit: self.number,
            modules: modules(self.files),
            workers: Vec::new(),
            seconds: self.seconds,
            limit: self.options.try_seconds,
            steps: STEPS,
            remember_logits,
            not_covered: None,
        };
        let ending = bench.run(search, self.cancel, self.progress);
        self.seconds = bench.seconds;
        ending.unwrap_or_else(|error| Ending::NoTrial(error.to_string()))
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

#[cfg(test)]
mod tests {
    use finding::{Applicability, Kind, Range, Source};
    use repair::{Aspect, Effect};

    use super::*;
    use crate::report::ToolError;

    #[test]
    fn a_finding_of_trials_is_marked_with_their_mechanism() {
        let part = Part {
            title: "Use a learning rate of 0.01".to_owned(),
            kind: Kind::LearningRate,
            aspect: Aspect::Step,
            path: "train.py".into(),
            place: Range::new(0, 1),
            edits: vec![Edit {
                path: "train.py".into(),
                range: Range::new(0, 1),
                new_text: "2".to_owned(),
            }],
            applicability: Applicability::Unsafe,
            prior: 0.5,
        };
        let credited = Credited {
            candidate: Candidate::single(part.clone()),
            effect: Effect {
                metric: "accuracy",
                before: 0.5,
                after: 0.9,
            },
            gain: 0.8,
            skill: 0.8,
            steps: 500,
            seeds: 3,
        };
        for (mechanism, source) in [
            (super::super::mechanism::IMPERATIVE, Source::Imperative),
            (super::super::mechanism::CALLBACK, Source::Callback),
        ] {
            let none = ToolError {
                code: String::new(),
                message: String::new(),
                path: None,
                hint: String::new(),
            };
            let mut report = Report::failed("train.py".as_ref(), none);
            let mut tried = Tried {
                mechanism,
                ..Tried::default()
            };
            work_in(&mut report, &mut tried, std::slice::from_ref(&credited), &[&part]);
            assert_eq!(report.findings[0].source, source);
            assert_eq!((tried.helped, &tried.idle), (1, &vec![part.edits.clone()]));
        }
    }
}
