//! # change-that-helps (DL790)
//!
//! ## What it does
//! Reports a place where a change makes the network learn, or learn better, which was found by trying and which no rule had
//! named.
//!
//! ## Why it matters
//! With the change, the same training from the same start does better than the script as it is, by more than rows and
//! seeds make out; the message says by how much. That is as close to a proof as a training gets.
//!
//! ## Example
//! ```python
//! import keras
//! keras.optimizers.SGD(learning_rate=0.00001)      # explained variance after 500 steps 0.02; with 0.01 it is 0.97
//! ```
//!
//! ## Use instead
//! Apply the fix, or make the change it shows in your own way; `deeplocalize fix SCRIPT --diff` shows it.
//!
//! ## Fix safety
//! Unsafe: that it helps was measured for a few hundred steps. Whether it is what you mean is for you to say.
//!
//! ## References
//! - Zhang et al.: AUTOTRAINER, ICSE 2021, which repairs a training by trying, but not the source
//! - Ghanbari et al.: Mutation-based fault localization of deep neural networks (deepmufl), ASE 2023

use finding::{Finding, Fix, Kind, RuleInfo, Severity, Source, Trial};

use crate::candidate::Part;
use crate::outcome::Effect;
use crate::search::Credited;

const INFO: RuleInfo = RuleInfo {
    code: "DL790",
    name: "change-that-helps",
    kind: Kind::LearningRate,
    severity: Severity::Warning,
    source: include_str!("change_that_helps.rs"),
};

/// The codes that trying can report.
pub const fn rules() -> &'static [&'static RuleInfo] {
    &[&INFO]
}

/// Fixes with a measured effect that a finding carries at most.
const FIXES: usize = 4;
/// What is left of a confidence when the fix of the finding made no difference: while nothing else does either, and when
/// another change does.
const DOUBT: f64 = 0.85;
const REFUTED: f64 = 0.6;
/// Skill and gain of a change that shows plainly what the cause is.
const LEARNS_WELL: f64 = 0.9;
const MUCH: f64 = 0.5;
/// Confidence below which a finding is a guess.
const WEAK: f64 = 0.6;
/// Confidence from which a finding that nothing could be tried for keeps its place: a change that makes up for it (a higher
/// rate where a callback ends the training) does not speak against it.
const SURE: f64 = 0.92;
/// Skill from which the network counts as learning with the change, and below which it does not without.
const LEARNS: f64 = 0.5;
const HARDLY: f64 = 0.15;

/// Works what was found by trying into the findings: the fix goes first on the finding it belongs to, and that finding
/// goes first in the list. A change that belongs to none becomes a finding of its own, behind the first one unless that
/// gives way.
/// A finding whose own fix was tried `without_effect` is less likely to be the cause.
pub fn credit(findings: &mut Vec<Finding>, credited: &[Credited], without_effect: &[&Part]) {
    let doubt = if credited.is_empty() { DOUBT } else { REFUTED };
    for finding in findings.iter_mut() {
        if has_idle(finding, without_effect) && finding.kind != Kind::OutputActivation {
            finding.confidence *= doubt;
        }
    }
    findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then(b.confidence.total_cmp(&a.confidence))
    });
    let Some(best) = credited.first() else { return };
    let sure = if best.skill >= LEARNS { 0.9 } else { 0.75 };
    let highest = findings
        .first()
        .map_or(Severity::Warning, |finding| finding.severity);
    let known = belongs(findings, best);
    // What a rule or the run has named keeps its place, unless a change elsewhere shows plainly that it is not the cause.
    let first = known.is_some()
        || findings
            .first()
            .is_none_or(|first| gives_way(first, best, without_effect));
    let mut finding = match known {
        Some(at) => findings.remove(at),
        None => named(best),
    };
    finding.severity = finding.severity.max(Severity::Warning);
    if first {
        finding.severity = finding.severity.max(highest);
        finding.confidence = finding.confidence.max(sure);
    } else if let Some(above) = findings.first() {
        finding.confidence = sure.min(above.confidence);
    }
    let mut fixes: Vec<Fix> = credited.iter().take(FIXES).map(fix).collect();
    for known in finding.fixes.drain(..) {
        if !fixes
            .iter()
            .any(|fix| fix.edits == known.edits || fix.title == known.title)
        {
            fixes.push(known);
        }
    }
    finding.fixes = fixes;
    findings.insert(usize::from(!first), finding);
}

/// Whether a fix of the finding was tried without effect.
fn has_idle(finding: &Finding, without_effect: &[&Part]) -> bool {
    let idle = |fix: &Fix| without_effect.iter().any(|part| part.edits == fix.edits);
    finding.fixes.iter().any(idle)
}

/// Whether a finding makes room at the front for a change that no finding had named.
fn gives_way(first: &Finding, best: &Credited, without_effect: &[&Part]) -> bool {
    let plain = best.skill >= LEARNS_WELL && best.gain >= MUCH;
    let untried = first.fixes.is_empty() && first.confidence < SURE;
    let refuted = untried || has_idle(first, without_effect);
    first.severity < Severity::Warning || first.confidence < WEAK || (plain && refuted)
}

/// The finding that a change belongs to: the first on the place of one of its parts, else the first of its kind.
fn belongs(findings: &[Finding], best: &Credited) -> Option<usize> {
    let parts = &best.candidate.parts;
    let counts = |finding: &Finding| finding.severity >= Severity::Warning;
    let on_place = |finding: &Finding| {
        parts.iter().any(|part| {
            part.path == finding.path
                && part.place.start < finding.range.end
                && finding.range.start < part.place.end
        })
    };
    let of_kind = |finding: &Finding| parts.iter().any(|part| part.kind == finding.kind);
    let position = |test: &dyn Fn(&Finding) -> bool| {
        findings
            .iter()
            .position(|finding| counts(finding) && test(finding))
    };
    position(&|finding| on_place(finding) && of_kind(finding))
        .or_else(|| position(&|finding| of_kind(finding)))
        .or_else(|| position(&on_place))
}

/// What was measured, in the words that it bears.
fn message(best: &Credited) -> String {
    let what = match best.candidate.parts.len() {
        0 | 1 => "another value here".to_owned(),
        2 => "another value here and one more change".to_owned(),
        several => format!("another value here and {} more changes", several - 1),
    };
    let helps = if best.skill - best.gain < HARDLY && best.skill >= LEARNS {
        format!("the network does not learn as it is, but does with {what}")
    } else {
        format!("the network learns better with {what}")
    };
    let Effect {
        metric,
        before,
        after,
    } = &best.effect;
    let before = if before.is_finite() {
        format!("{before:.2}")
    } else {
        "none".to_owned()
    };
    format!(
        "{helps}: {metric} after {} steps {after:.2} instead of {before}",
        best.steps
    )
}

/// A finding for a change that no rule had named.
fn named(best: &Credited) -> Finding {
    let part = &best.candidate.parts[0];
    Finding {
        code: INFO.code,
        name: INFO.name,
        kind: part.kind,
        severity: Severity::Warning,
        source: Source::Callback,
        path: part.path.clone(),
        range: part.place,
        layer: None,
        message: message(best),
        evidence: Vec::new(),
        confidence: 0.8,
        fixes: Vec::new(),
    }
}

/// The fix of a change, with its measured effect.
fn fix(credited: &Credited) -> Fix {
    Fix {
        title: credited.candidate.title(),
        applicability: credited.candidate.applicability(),
        edits: credited.candidate.edits(),
        trial: Some(Trial {
            metric: credited.effect.metric.to_owned(),
            before: credited.effect.before,
            after: credited.effect.after,
            steps: credited.steps,
            seeds: credited.seeds,
        }),
    }
}
