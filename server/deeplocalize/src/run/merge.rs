//! What the run showed and what the text alone shows, as one list.

use finding::{Finding, Kind, Severity, Verdict};

/// Merges the findings of the text into those of the run. The same fault on the same place is one finding: with the code
/// and the fixes of the rule, and the evidence of the run. A suspicion (less than an error) of the text is lowered to
/// information when the run shows that the network learns; not so for the output activation: Keras on TensorFlow computes
/// cross-entropy from the value before it, so training goes well however little it fits the loss.
pub(super) fn merge(verdict: Verdict, seen: Vec<Finding>, read: Vec<Finding>) -> (Verdict, Vec<Finding>) {
    let mut findings = seen;
    for mut rule in read {
        let same = |known: &&mut Finding| {
            known.kind == rule.kind
                && known.path == rule.path
                && (known.range.contains(rule.range) || rule.range.contains(known.range))
        };
        match findings.iter_mut().find(same) {
            Some(known) => {
                known.code = rule.code;
                known.name = rule.name;
                known.range = rule.range;
                known.severity = known.severity.max(rule.severity);
                known.confidence = known.confidence.max(rule.confidence);
                known.layer = known.layer.take().or(rule.layer);
                if !rule.fixes.is_empty() {
                    known.fixes = rule.fixes;
                }
            }
            None => {
                let refutable = rule.kind != Kind::OutputActivation;
                if refutable && verdict == Verdict::Healthy && rule.severity == Severity::Warning {
                    rule.severity = Severity::Information;
                    rule.confidence *= 0.5;
                }
                findings.push(rule);
            }
        }
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
        let (verdict, findings) = merge(Verdict::Faulty, seen, read);
        assert_eq!(verdict, Verdict::Faulty);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].code, findings[0].source),
            ("DL101", Source::Callback)
        );
    }

    #[test]
    fn a_network_that_learns_refutes_a_suspicion_but_not_an_error() {
        let at = Range::new(1, 2);
        let (verdict, findings) = merge(
            Verdict::Healthy,
            Vec::new(),
            vec![finding("DL1", Source::Static, Severity::Warning, at)],
        );
        assert_eq!(
            (verdict, findings[0].severity),
            (Verdict::Healthy, Severity::Information)
        );
        let (verdict, _) = merge(
            Verdict::Healthy,
            Vec::new(),
            vec![finding("DL1", Source::Static, Severity::Error, at)],
        );
        assert_eq!(verdict, Verdict::Faulty);
        let mut masked = finding("DL1", Source::Static, Severity::Warning, at);
        masked.kind = Kind::OutputActivation;
        assert_eq!(
            merge(Verdict::Healthy, Vec::new(), vec![masked]).0,
            Verdict::Faulty
        );
        let (verdict, _) = merge(
            Verdict::Inconclusive,
            Vec::new(),
            vec![finding("DL1", Source::Static, Severity::Warning, at)],
        );
        assert_eq!(verdict, Verdict::Faulty);
    }
}
