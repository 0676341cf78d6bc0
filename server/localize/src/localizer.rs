//! The verdict on a run, while it goes on and at its end.

use finding::{Applicability, Edit, Evidence, Finding, Fix, LayerRef, Range, Severity, Verdict};
use trace::{Fit, Stat, Trace};

use crate::case::Case;
use crate::causes::{self, Cause, Remedy};
use crate::crash;
use crate::drawn;
use crate::learning::State;
use crate::paper::Paper;
use crate::place::{self, Located, Place, Source, Sources};
use crate::split;
use crate::symptoms;
use crate::text::{number, percent};

/// Which analysis is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detector {
    /// Per-unit and element-wise statistics, trends tested by slope, causes ranked.
    Default,
    /// The algorithm of the paper: N equal means, a threshold of zero means, first alarm only.
    DeepLocalize {
        /// Number of equal means that make an anomaly.
        n: usize,
        /// Share of the iterations with a zero mean that makes an anomaly.
        threshold: f64,
    },
}

/// Why no more frames will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The script ended by itself.
    Finished,
    /// The budget of batches or seconds was used up.
    Budget,
    /// The verdict was clear.
    Clear,
    /// Somebody cancelled the run, or it broke off.
    Cancelled,
}

/// What the analysis says.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// Over all trainings of the run.
    pub verdict: Verdict,
    /// Best explanation first.
    pub findings: Vec<Finding>,
    /// Whether some training got nowhere: it diverged, stopped, or is no better than a constant or far behind a simple model.
    pub failing: bool,
    /// Why the verdict is what it is, as half a sentence ("loss 0.69 → 0.08, 97 % right").
    pub reason: String,
}

/// Follows a run.
#[derive(Clone, Debug)]
pub struct Localizer {
    detector: Detector,
    paper: Option<(usize, Paper)>,
    /// Probed steps of the current training at the last look.
    looked: (usize, u64),
}

/// Probed steps between two looks at the start; later an eighth of those seen, because a look goes over the whole history and
/// all looks together are to cost no more than a fixed number of passes.
const LOOK_EVERY: u64 = 10;
/// Probed steps before the first look, unless something is NaN.
const FIRST_LOOK: u64 = 20;
/// Steps after which a network that has learned is called healthy.
const STEPS_TO_TRUST: u64 = 300;

impl Localizer {
    /// Starts to follow a run.
    pub fn new(detector: Detector) -> Self {
        Localizer {
            detector,
            paper: None,
            looked: (0, 0),
        }
    }

    /// Takes a look at the latest training; the verdict, once it is clear. Call it after every frame.
    pub fn observe(&mut self, trace: &Trace) -> Option<Verdict> {
        let fit = trace.fits.last()?;
        if let Detector::DeepLocalize { n, threshold } = self.detector {
            let number = trace.fits.len();
            let (_, paper) = match &mut self.paper {
                Some(known) if known.0 == number || known.1.alarm().is_some() => known,
                other => other.insert((number, Paper::new(n, threshold))),
            };
            paper.observe(fit);
            return paper.alarm().map(|_| Verdict::Faulty);
        }
        if self.looked.0 != trace.fits.len() {
            self.looked = (trace.fits.len(), 0);
        }
        let broke = fit.probed > self.looked.1 && just_broke(fit);
        if !broke
            && (fit.probed < FIRST_LOOK || fit.probed < self.looked.1 + LOOK_EVERY.max(self.looked.1 / 8))
        {
            return None;
        }
        self.looked.1 = fit.probed;
        let case = Case::new(fit, false);
        let causes = causes::find(&case);
        if causes
            .iter()
            .any(|cause| cause.settled && cause.severity >= Severity::Warning)
        {
            return Some(Verdict::Faulty);
        }
        let quiet = causes.iter().all(|cause| cause.severity < Severity::Warning);
        // What validation shows takes some epochs.
        let validating = fit.info.validation && fit.steps < 10 * STEPS_TO_TRUST;
        let learning = case.learning();
        // Clearly less than simple models get out of the same data may be all that it ever gets.
        let learned = learning.state() == State::Learned && !learning.lagging();
        // What rows in order of their classes were cut off from may hold others; that shows when the model is evaluated.
        let learned = learned && causes::labels_in_order(&case).is_none();
        (quiet && !validating && fit.steps >= STEPS_TO_TRUST && learned).then_some(Verdict::Healthy)
    }

    /// Says what was seen, with places in the source.
    pub fn diagnose(&self, trace: &Trace, ending: Ending, sources: &dyn Sources) -> Diagnosis {
        let mut findings: Vec<Finding> = Vec::new();
        let mut states = Vec::new();
        let mut failing = false;
        let mut reason = String::new();
        for (number, fit) in trace.fits.iter().enumerate() {
            // A model that is trained on by a later call is judged by that.
            let goes_on = trace.fits[number + 1..]
                .iter()
                .any(|later| later.info.model.name == fit.info.model.name);
            let earlier = trace.fits[..number]
                .iter()
                .filter(|earlier| earlier.info.model.name == fit.info.model.name);
            let complete = !goes_on && (fit.end.as_deref() == Some("finished") || ending == Ending::Budget);
            let case = Case::new(fit, complete)
                .after(earlier.map(|earlier| earlier.steps).sum())
                .with_drawn_labels(drawn::labels_drawn(fit, sources))
                .with_cut_labels(split::by_position(fit, sources).is_some());
            let mut causes = match self.detector {
                Detector::Default => causes::find(&case),
                Detector::DeepLocalize { .. } => Vec::new(),
            };
            fold_symptoms(&case, &mut causes);
            states.push(case.learning().state());
            failing |= case.fails() || case.broken().is_some() || causes.iter().any(|cause| cause.settled);
            reason = story(&case);
            findings.extend(causes.iter().filter_map(|cause| to_finding(cause, fit, sources)));
        }
        let restarted = match self.detector {
            Detector::Default => causes::restarted(&trace.fits),
            Detector::DeepLocalize { .. } => None,
        };
        if let Some((cause, fit)) = restarted {
            // What one round lacks follows from starting over.
            findings.clear();
            findings.extend(to_finding(&cause, fit, sources));
        }
        if let Some((number, paper)) = &self.paper
            && let Some(alarm) = paper.alarm()
            && let Some(fit) = trace.fits.get(number - 1)
        {
            findings.extend(to_finding(alarm, fit, sources));
        }
        let crash = trace.exception.as_ref();
        if let Some(exception) = crash
            && let Some(raised) = crash::finding(exception, trace, sources)
        {
            match findings
                .iter_mut()
                .find(|cause| crash::follows_from(exception, &raised, cause))
            {
                Some(cause) => cause.evidence.push(crash::consequence(exception, &raised)),
                None => findings.push(raised),
            }
        }
        let mut kept: Vec<Finding> = Vec::new();
        for finding in findings {
            let same = |known: &&mut Finding| {
                known.code == finding.code && known.path == finding.path && known.range == finding.range
            };
            match kept.iter_mut().find(same) {
                Some(known) if known.severity < finding.severity => *known = finding,
                Some(_) => {}
                None => kept.push(finding),
            }
        }
        kept.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then(b.confidence.total_cmp(&a.confidence))
        });

        let faulty = kept.iter().any(|finding| finding.severity >= Severity::Warning);
        let judged: Vec<State> = states
            .iter()
            .copied()
            .filter(|state| *state != State::TooEarly)
            .collect();
        let paper_quiet = matches!(self.detector, Detector::DeepLocalize { .. }) && !judged.is_empty();
        let verdict = if crash.is_some() {
            Verdict::Crashed
        } else if faulty {
            Verdict::Faulty
        } else if paper_quiet
            || (!judged.is_empty()
                && judged
                    .iter()
                    .all(|state| !matches!(state, State::Stuck | State::Behind)))
        {
            Verdict::Healthy
        } else {
            Verdict::Inconclusive
        };
        Diagnosis {
            verdict,
            findings: kept,
            failing,
            reason,
        }
    }
}

/// Whether the latest probed step holds a NaN or an infinity.
fn just_broke(fit: &Fit) -> bool {
    let positive = |value: Option<f64>| value.is_some_and(|value| value > 0.0);
    fit.all_series()
        .any(|(_, series)| positive(series.last(Stat::Nans)) || positive(series.last(Stat::Infs)))
        || fit
            .scalar(trace::Scalar::Loss)
            .last()
            .is_some_and(|loss| !loss.is_finite())
}

/// How far the training got, in half a sentence.
fn story(case: &Case<'_>) -> String {
    let learning = case.learning();
    let mut parts = Vec::new();
    if let Some(loss) = learning.loss {
        parts.push(format!("loss {} → {}", number(loss.first), number(loss.last)));
    }
    match (learning.hits, learning.explained) {
        (Some(hits), _) => parts.push(format!("{} right", percent(hits))),
        (None, Some(explained)) => parts.push(format!(
            "{} of the variance explained",
            percent(explained.max(0.0))
        )),
        _ => {}
    }
    parts.join(", ")
}

/// Gives the best explanation of a training that goes wrong the symptoms that it explains.
fn fold_symptoms(case: &Case<'_>, causes: &mut [Cause]) {
    const MOST: usize = 4;
    let Some(cause) = causes
        .first_mut()
        .filter(|cause| cause.severity >= Severity::Warning)
    else {
        return;
    };
    // What the cause has said of the same place in the same phase by itself needs no second sentence.
    let said: Vec<_> = cause
        .evidence
        .iter()
        .map(|seen| (seen.phase, seen.layer))
        .collect();
    let more = symptoms::find(case)
        .into_iter()
        .filter(|symptom| !said.contains(&(symptom.phase, symptom.layer)));
    cause.evidence.extend(more.take(MOST).map(|symptom| causes::Seen {
        text: format!("{}: {}", symptom.info.name, symptom.text),
        moment: symptom.moment,
        phase: symptom.phase,
        layer: symptom.layer,
    }));
}

fn to_finding(cause: &Cause, fit: &Fit, sources: &dyn Sources) -> Option<Finding> {
    let located = place::locate(cause.place, fit, sources)?;
    let layer = cause
        .layer
        .and_then(|index| fit.info.layers.iter().find(|layer| layer.index == index));
    let evidence = cause
        .evidence
        .iter()
        .map(|seen| {
            let site = seen
                .layer
                .and_then(|index| fit.info.layers.iter().find(|layer| layer.index == index));
            let at = site
                .and_then(|layer| layer.site.as_ref())
                .and_then(|site| place::site(site, sources));
            Evidence {
                text: seen.text.clone(),
                path: at.as_ref().map_or_else(|| located.path(), Located::path),
                range: at.map(|at| at.range),
                epoch: seen.moment.map(|moment| moment.epoch),
                batch: seen.moment.map(|moment| moment.batch),
                phase: Some(seen.phase),
            }
        })
        .collect();
    Some(Finding {
        code: cause.rule.code,
        name: cause.rule.name,
        kind: cause.kind,
        severity: cause.severity,
        source: finding::Source::Callback,
        path: located.path(),
        range: located.range,
        layer: layer.map(|layer| LayerRef {
            index: layer.index,
            name: layer.name.clone(),
            type_name: layer.class.clone(),
        }),
        message: cause.message.clone(),
        evidence,
        confidence: cause.confidence,
        fixes: cause
            .remedies
            .iter()
            .filter_map(|remedy| to_fix(remedy, cause.place, &located))
            .collect(),
    })
}

fn to_fix(remedy: &Remedy, place: Place, located: &Located<'_>) -> Option<Fix> {
    let edit = |range: Range, new_text: String| Edit {
        path: located.path(),
        range,
        new_text,
    };
    let (title, edits) = match remedy {
        Remedy::Argument { title, text, .. } if located.argument && place != Place::LearningRate => {
            (title, vec![edit(located.range, text.clone())])
        }
        Remedy::Argument { title, keyword, text } => {
            let Source {
                text: source,
                program,
                ..
            } = located.source;
            let call = program.call_at(located.range)?;
            let replaced = call
                .argument(keyword)
                .filter(|argument| argument.value.range == located.range);
            match replaced {
                Some(argument) => (title, vec![edit(argument.value.range, text.clone())]),
                // A call that names no such argument yet, and has it: only optimizers and layers get one added.
                None if call.callee.starts_with("keras.layers.")
                    || call.callee.starts_with("keras.optimizers.") =>
                {
                    let close = call.range.end.checked_sub(1)?;
                    let inside = Range::new(call.callee_range.end, close).slice(source);
                    let separator = if inside.trim_end().ends_with(['(', ',']) {
                        ""
                    } else {
                        ", "
                    };
                    (
                        title,
                        vec![edit(
                            Range::new(close, close),
                            format!("{separator}{keyword}={text}"),
                        )],
                    )
                }
                None => return None,
            }
        }
        Remedy::Standardise { title } => {
            let (statement, name) = located.change.clone()?;
            if name.is_empty()
                || !name
                    .chars()
                    .all(|character| character.is_alphanumeric() || character == '_')
            {
                return None;
            }
            let source = located.source.text;
            let line = source[..statement.start].rfind('\n').map_or(0, |at| at + 1);
            let indent: String = source[line..]
                .chars()
                .take_while(|character| *character == ' ' || *character == '\t')
                .collect();
            let text = format!("\n{indent}{name} = ({name} - {name}.mean(axis=0)) / {name}.std(axis=0)");
            (title, vec![edit(Range::new(statement.end, statement.end), text)])
        }
        Remedy::Column {
            title,
            operation,
            operand,
        } => {
            let Source { text, program, .. } = located.source;
            let range = program.operands_in(text, located.range, operation)?[*operand];
            let bare = range.slice(text);
            // What binds less tightly than an index would be taken apart.
            let whole = bare
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
            let column = if whole {
                format!("{bare}[:, 0]")
            } else {
                format!("({bare})[:, 0]")
            };
            (title, vec![edit(range, column)])
        }
    };
    Some(Fix {
        title: title.clone(),
        applicability: Applicability::Unsafe,
        edits,
        trial: None,
    })
}
