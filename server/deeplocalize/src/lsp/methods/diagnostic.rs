//! `textDocument/diagnostic`: pull.

use tower_lsp::ls_types::{
    DocumentDiagnosticReport, DocumentDiagnosticReportResult, FullDocumentDiagnosticReport,
    RelatedFullDocumentDiagnosticReport, RelatedUnchangedDocumentDiagnosticReport,
    UnchangedDocumentDiagnosticReport, Uri,
};

use super::super::publish;
use super::super::state::State;

/// Diagnostics of a document; `unchanged` when the client has this very result.
pub fn diagnostic(state: &State, uri: &Uri, previous: Option<String>) -> DocumentDiagnosticReportResult {
    let Some(document) = state.documents.get(uri) else {
        return full(None, Vec::new());
    };
    let result = format!("{}.{}", document.revision, state.results.number());
    if previous.as_ref() == Some(&result) {
        let unchanged = RelatedUnchangedDocumentDiagnosticReport {
            related_documents: None,
            unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id: result },
        };
        return DocumentDiagnosticReportResult::Report(DocumentDiagnosticReport::Unchanged(unchanged));
    }
    let findings = if state.client.pulls_run_findings() {
        publish::findings(state, document)
    } else {
        publish::from_text(document)
    };
    full(Some(result), publish::diagnostics(state, findings))
}

fn full(
    result_id: Option<String>,
    items: Vec<tower_lsp::ls_types::Diagnostic>,
) -> DocumentDiagnosticReportResult {
    DocumentDiagnosticReportResult::Report(DocumentDiagnosticReport::Full(
        RelatedFullDocumentDiagnosticReport {
            related_documents: None,
            full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id, items },
        },
    ))
}
