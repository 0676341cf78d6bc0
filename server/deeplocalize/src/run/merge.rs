//! What the run showed and what the text alone shows, as one list.

use finding::{Evidence, Finding, Kind, Severity, Verdict};

/// Rules whose suspicion a network that learns does not refute, beside those of some kinds: Keras on TensorFlow computes
/// cross-entropy from the value before the activation, so training goes well however little the two fit; what drops
/// predictions does so on a network that learns, too, and units that start alike stay alike however well one of them does;
/// and nothing that is learned in training mends what spoils evaluation. A rate that vanishes leaves a network that has learned
/// something behind what it could learn. Where loss or targets are the wrong ones, a network
/// learns the wrong thing well.
const NOT_REFUTED: [&str; 17] = [
    "DL106", "DL161", "DL162", "DL163", "DL350", "DL405", "DL410", "DL453", "DL455", "DL460", "DL461",
    "DL601", "DL605", "DL611", "DL626", "DL660", "DL661",
];
/// Rules that say why a network would not learn; one that does not confirms them.
const CONFIRMED: [&str; 38] = [
    "DL103", "DL106", "DL107", "DL111", "DL113", "DL114", "DL201", "DL202", "DL203", "DL204", "DL206",
    "DL301", "DL304", "DL305", "DL306", "DL311", "DL312", "DL314", "DL315", "DL402", "DL404", "DL406",
    "DL407", "DL601", "DL603", "DL604", "DL605", "DL609", "DL610", "DL611", "DL616", "DL617", "DL618",
    "DL619", "DL161", "DL461", "DL660", "DL661",
];
/// What confirmation adds to a confidence.
const CONFIRMATION: f64 = 0.15;
/// An exception that Keras raised.
const CRASH: &str = "DL901";
/// The rule that says of a loss what Keras raises an exception for.
const LOSS_WITHOUT_GRADIENT: &str = "DL160";
/// Findings that name no cause.
const SYMPTOM_ONLY: [&str; 1] = ["DL722"];

/// Merges the findings of the text into those of the run. The same fault on the same place is one finding: with the code
/// and the fixes of the rule (unless the run is surer and has its own), and the evidence of the run. A suspicion (less than an error) of the text is lowered to
/// information when the run shows that the network learns, and raised to a warning when the run shows that it does not
/// (`failing`) and the suspicion would explain it.
pub(super) fn merge(
    verdict: Verdict,
    failing: bool,
    seen: Vec<Finding>,
    read: Vec<Finding>,
) -> (Verdict, Vec<Finding>) {
    let mut findings = seen;
    for mut rule in read {
        weigh(&mut rule, verdict, failing);
        let same = |known: &&mut Finding| {
            known.kind == rule.kind
                && known.path == rule.path
                && (known.range.contains(rule.range) || rule.range.contains(known.range))
        };
        match findings.iter_mut().find(same) {
            Some(known) => {
                // What has seen the data knows better what to do than a suspicion without them.
                let surer = known.severity > rule.severity && !known.fixes.is_empty();
                known.code = rule.code;
                known.name = rule.name;
                known.range = rule.range;
                known.severity = known.severity.max(rule.severity);
                known.confidence = known.confidence.max(rule.confidence);
                known.layer = known.layer.take().or(rule.layer);
                if !rule.fixes.is_empty() && !surer {
                    known.fixes = rule.fixes;
                }
            }
            None => findings.push(rule),
        }
    }
    fold_crash(&mut findings);
    let named =
        |finding: &Finding| finding.severity >= Severity::Warning && !SYMPTOM_ONLY.contains(&finding.code);
    if findings.iter().any(named) {
        findings.retain(|finding| !SYMPTOM_ONLY.contains(&finding.code));
    }
    findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then(b.confidence.total_cmp(&a.confidence))
    });
    let faulty = findings
        .iter()
        .any(|finding| finding.severity >= Severity::Warning);
    let verdict = match verdict {
        Verdict::Healthy | Verdict::Inconclusive if faulty => Verdict::Faulty,
        other => other,
    };
    (verdict, findings)
}

/// An exception about shapes is what a layer that is certainly put together wrongly comes to, and one about gradients
/// what a loss without any comes to: its evidence, not a second fault.
fn fold_crash(findings: &mut Vec<Finding>) {
    let explains = |finding: &Finding| match finding.kind {
        Kind::Shape => finding.severity == Severity::Error,
        Kind::Loss => [CRASH, LOSS_WITHOUT_GRADIENT].contains(&finding.code),
        _ => false,
    };
    let Some(at) = findings
        .iter()
        .position(|finding| finding.code == CRASH && explains(finding))
    else {
        return;
    };
    let crash = findings.remove(at);
    let cause = findings
        .iter_mut()
        .find(|finding| explains(finding) && finding.kind == crash.kind && finding.path == crash.path);
    match cause {
        Some(cause) => {
            cause.evidence.push(Evidence {
                text: crash.message,
                path: crash.path,
                range: Some(crash.range),
                epoch: None,
                batch: None,
                phase: None,
            });
            cause.evidence.extend(crash.evidence);
        }
        None => findings.insert(at, crash),
    }
}

/// What the run says of a suspicion of the text.
fn weigh(rule: &mut Finding, verdict: Verdict, failing: bool) {
    let kind = matches!(
        rule.kind,
        Kind::OutputActivation | Kind::Metric | Kind::DataOther | Kind::ApiMisuse | Kind::Shape
    );
    if failing && CONFIRMED.contains(&rule.code) {
        rule.severity = rule.severity.max(Severity::Warning);
        rule.confidence = (rule.confidence + CONFIRMATION).min(0.95_f64.max(rule.confidence));
    } else if failing && rule.kind == Kind::Metric {
        // True or not, no metric keeps a network from learning.
        rule.confidence *= 0.7;
    } else if verdict == Verdict::Healthy
        && rule.severity == Severity::Warning
        && !kind
        && !NOT_REFUTED.contains(&rule.code)
    {
        rule.severity = Severity::Information;
        rule.confidence *= 0.5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::{Range, Source};

    fn finding(code: &'static str, source: Source, severity: Severity, range: Range) -> Finding {
        Finding {
            code,
            name: code,
            kind: Kind::Loss,
            severity,
            source,
            path: "t.py".into(),
            range,
            layer: None,
            message: code.to_owned(),
            evidence: Vec::new(),
            confidence: 0.8,
            fixes: Vec::new(),
        }
    }

    #[test]
    fn an_exception_is_evidence_of_what_is_certainly_wrong() {
        let shape = |code, source, start| Finding {
            kind: Kind::Shape,
            ..finding(code, source, Severity::Error, Range::new(start, start + 9))
        };
        let crash = || vec![shape("DL901", Source::Callback, 50)];
        let (verdict, findings) = merge(
            Verdict::Crashed,
            true,
            crash(),
            vec![shape("DL624", Source::Static, 10)],
        );
        assert_eq!(verdict, Verdict::Crashed);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].code, findings[0].evidence[0].text.as_str()),
            ("DL624", "DL901")
        );
        let (_, alone) = merge(Verdict::Crashed, true, crash(), Vec::new());
        assert_eq!(alone[0].code, "DL901");
    }

    #[test]
    fn one_fault_is_one_finding() {
        let seen = vec![finding(
            "DL705",
            Source::Callback,
            Severity::Error,
            Range::new(10, 19),
        )];
        let read = vec![finding(
            "DL101",
            Source::Static,
            Severity::Error,
            Range::new(10, 19),
        )];
        let (verdict, findings) = merge(Verdict::Faulty, true, seen, read);
        assert_eq!(verdict, Verdict::Faulty);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].code, findings[0].source),
            ("DL101", Source::Callback)
        );
    }

    #[test]
    fn the_fix_is_that_of_the_surer_of_two() {
        let fixed = |code: &'static str, source: Source, severity: Severity| Finding {
            fixes: vec![finding::Fix {
                title: code.to_owned(),
                applicability: finding::Applicability::Unsafe,
                edits: Vec::new(),
                trial: None,
            }],
            ..finding(code, source, severity, Range::new(10, 19))
        };
        let title = |rule: Severity| {
            let seen = vec![fixed("DL707", Source::Callback, Severity::Error)];
            let read = vec![fixed("DL107", Source::Static, rule)];
            let (_, findings) = merge(Verdict::Crashed, true, seen, read);
            findings[0].fixes[0].title.clone()
        };
        assert_eq!(title(Severity::Information), "DL707");
        assert_eq!(title(Severity::Error), "DL107");
    }

    #[test]
    fn a_network_that_learns_refutes_a_suspicion_but_not_an_error() {
        let at = Range::new(1, 2);
        let (verdict, findings) = merge(
            Verdict::Healthy,
            false,
            Vec::new(),
            vec![finding("DL1", Source::Static, Severity::Warning, at)],
        );
        assert_eq!(
            (verdict, findings[0].severity),
            (Verdict::Healthy, Severity::Information)
        );
        let (verdict, _) = merge(
            Verdict::Healthy,
            false,
            Vec::new(),
            vec![finding("DL1", Source::Static, Severity::Error, at)],
        );
        assert_eq!(verdict, Verdict::Faulty);
        let mut masked = finding("DL1", Source::Static, Severity::Warning, at);
        masked.kind = Kind::OutputActivation;
        assert_eq!(
            merge(Verdict::Healthy, false, Vec::new(), vec![masked]).0,
            Verdict::Faulty
        );
        let (verdict, _) = merge(
            Verdict::Inconclusive,
            false,
            Vec::new(),
            vec![finding("DL1", Source::Static, Severity::Warning, at)],
        );
        assert_eq!(verdict, Verdict::Faulty);
    }
}
