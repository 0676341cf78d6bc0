//! What is tried: the fixes that findings carry, and what the operators propose.

use std::collections::BTreeSet;

use finding::{Applicability, Edit, Finding, Severity};

use crate::candidate::{Aspect, Part};
use crate::facts::Facts;
use crate::operators;

/// Changes at most; there is never time for more.
const MOST: usize = 24;

/// Plausibility below which a change is not tried.
const LEAST: f64 = 0.15;

/// Changes that may mend the training, the most plausible first.
pub fn proposals(facts: &Facts<'_>, findings: &[Finding]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let proposed = operators::propose(facts);
    for finding in findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning)
    {
        for fix in &finding.fixes {
            let aspect = Aspect::of(finding.kind);
            // The operators know more of where an array can be scaled; the rules at times what must be scaled with it.
            let better = matches!(aspect, Aspect::Features | Aspect::Targets)
                && proposed
                    .iter()
                    .any(|part| part.aspect == aspect && changes(&part.edits) >= changes(&fix.edits));
            if fix.applicability == Applicability::DisplayOnly || fix.edits.is_empty() || better {
                continue;
            }
            let same = proposed.iter().find(|part| part.edits == fix.edits);
            let aspect = same.map_or(aspect, |part| part.aspect);
            parts.push(Part {
                title: fix.title.clone(),
                kind: finding.kind,
                aspect,
                path: finding.path.clone(),
                place: finding.range,
                edits: fix.edits.clone(),
                applicability: fix.applicability,
                prior: 0.6 + 0.35 * finding.confidence,
            });
        }
    }
    for mut part in proposed {
        // What a finding blames is more plausible.
        let blamed = findings
            .iter()
            .filter(|finding| finding.severity >= Severity::Warning)
            .find(|finding| {
                finding.kind == part.kind || (finding.path == part.path && overlap(finding.range, part.place))
            });
        if let Some(finding) = blamed {
            part.prior = part.prior.max(0.3) + 0.25 * finding.confidence;
        }
        part.prior = part.prior.min(0.97);
        if !parts.iter().any(|known| known.edits == part.edits) {
            parts.push(part);
        }
    }
    parts.sort_by(|a, b| b.prior.total_cmp(&a.prior));
    parts.retain(|part| part.prior >= LEAST);
    parts.truncate(MOST);
    parts
}

/// How many variables edits assign to; 1 where they change an expression.
fn changes(edits: &[Edit]) -> usize {
    let lines = edits.iter().flat_map(|edit| edit.new_text.lines());
    let assigned: BTreeSet<&str> = lines
        .filter_map(|line| line.split_once(" = "))
        .flat_map(|(names, _)| names.split(','))
        .map(str::trim)
        .collect();
    assigned.len().max(1)
}

const fn overlap(a: finding::Range, b: finding::Range) -> bool {
    a.start < b.end && b.start < a.end
}
