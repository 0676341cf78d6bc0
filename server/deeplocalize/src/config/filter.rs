//! Settings and comments applied to what a run found.

use finding::{Severity, Verdict};
use program::Layout;

use super::Configuration;
use crate::report::Report;
use crate::suppress;

/// Leaves out of a report what settings and comments of the files silence.
pub fn filter(report: &mut Report, configuration: &Configuration) {
    let mut kept = Vec::new();
    for finding in std::mem::take(&mut report.findings) {
        let mut one = vec![finding];
        let Some(path) = one.first().map(|finding| finding.path.clone()) else {
            continue;
        };
        configuration.of(&path).apply(&mut one);
        if let Some(text) = report.texts.get(&path) {
            suppress::apply(text, || Layout::of(text), &mut one);
        }
        kept.append(&mut one);
    }
    report.findings = kept;
    let faulty = |severity| severity >= Severity::Warning;
    if report.verdict == Verdict::Faulty && !report.findings.iter().any(|finding| faulty(finding.severity)) {
        // What the run saw is not to be told, but that does not make the network healthy.
        report.verdict = Verdict::Inconclusive;
    }
    report.errors.extend(configuration.take_errors());
}
