//! Findings → diagnostics.

use std::str::FromStr;

use finding::{Evidence, Finding, Phase, Severity};
use serde_json::json;
use tower_lsp::ls_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, NumberOrString, Uri,
};

use super::state::State;
use crate::report::page;

/// Evidence without a place goes into the message; more than that many pieces would bury it.
const EVIDENCE_IN_MESSAGE: usize = 3;

/// The diagnostic of a finding; `None` when the text of its file is not known.
pub fn diagnostic(state: &State, finding: &Finding) -> Option<Diagnostic> {
    let range = state.text_of(&finding.path)?.range(finding.range, state.encoding);
    let mut related = Vec::new();
    let mut message = finding.message.clone();
    let mut in_message = 0;
    for evidence in &finding.evidence {
        let text = seen(evidence);
        let place = evidence
            .range
            .filter(|_| state.client.related_information)
            .and_then(|range| state.location(&evidence.path, range));
        if let Some(location) = place {
            related.push(DiagnosticRelatedInformation {
                location,
                message: text,
            });
        } else if in_message < EVIDENCE_IN_MESSAGE {
            in_message += 1;
            message.push_str("\nSeen: ");
            message.push_str(&text);
        }
    }
    Some(Diagnostic {
        range,
        severity: Some(severity(finding.severity)),
        code: Some(NumberOrString::String(finding.code.to_owned())),
        code_description: Uri::from_str(&page(finding.code))
            .ok()
            .map(|href| CodeDescription { href }),
        source: Some("deeplocalize".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        tags: None,
        data: (!finding.fixes.is_empty()).then(|| json!({ "fix": fix_id(finding) })),
    })
}

/// Name of a finding's fixes within one version of a document.
pub fn fix_id(finding: &Finding) -> String {
    format!("{}:{}-{}", finding.code, finding.range.start, finding.range.end)
}

/// Evidence with its time, counted as Keras prints it: from 1.
fn seen(evidence: &Evidence) -> String {
    let time: Vec<String> = [
        evidence
            .epoch
            .map(|epoch| format!("epoch {}", u64::from(epoch) + 1)),
        evidence
            .batch
            .map(|batch| format!("batch {}", u64::from(batch) + 1)),
        evidence.phase.map(|phase| phase_name(phase).to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if time.is_empty() {
        evidence.text.clone()
    } else {
        format!("{} ({})", evidence.text, time.join(", "))
    }
}

const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Data => "data",
        Phase::Forward => "forward pass",
        Phase::Loss => "loss",
        Phase::Metric => "metric",
        Phase::Backward => "backward pass",
        Phase::Update => "weight update",
    }
}

const fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Hint => DiagnosticSeverity::HINT,
        Severity::Information => DiagnosticSeverity::INFORMATION,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Error => DiagnosticSeverity::ERROR,
    }
}
