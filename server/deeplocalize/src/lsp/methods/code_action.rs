//! `textDocument/codeAction`: the fixes of the findings in a range, and all safe ones at once.
//!
//! Everything is read from the findings the server holds: some clients drop what a diagnostic carries for later.

use std::collections::HashMap;

use finding::{Applicability, Edit, Finding, Fix, Range};
use serde_json::json;
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, DocumentChanges,
    OneOf, OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, TextEdit, Uri, WorkspaceEdit,
};

use super::super::capabilities::FIX_ALL;
use super::super::document::Document;
use super::super::state::State;
use super::super::{publish, to_lsp};

/// Actions for a range of a document.
pub fn code_action(state: &State, uri: &Uri, params: &CodeActionParams) -> Option<CodeActionResponse> {
    let document = state.documents.get(uri)?;
    let wanted = |kind: &CodeActionKind| {
        params
            .context
            .only
            .as_ref()
            .is_none_or(|only| only.iter().any(|only| includes(only, kind)))
    };
    let findings = publish::findings(state, document);
    let mut actions = Vec::new();
    if wanted(&CodeActionKind::QUICKFIX) {
        let range = document.text.bytes(params.range, state.encoding);
        let here = findings.iter().filter(|finding| touches(finding.range, range));
        actions.extend(here.flat_map(|finding| quick_fixes(state, finding)));
    }
    if wanted(&FIX_ALL) {
        actions.extend(fix_all(state, document, &findings));
    }
    Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect())
}

/// Whether a kind is what was asked for, or below it (`source` includes `source.fixAll.deeplocalize`).
fn includes(asked: &CodeActionKind, kind: &CodeActionKind) -> bool {
    kind.as_str()
        .strip_prefix(asked.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || asked.as_str().is_empty())
}

/// A cursor directly behind a finding is on it.
const fn touches(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

fn quick_fixes(state: &State, finding: &Finding) -> Vec<CodeAction> {
    let diagnostic = to_lsp::diagnostic(state, finding);
    let best = finding
        .fixes
        .iter()
        .position(|fix| fix.applicability == Applicability::Safe);
    let fixes = finding.fixes.iter().enumerate();
    fixes
        .filter_map(|(number, fix)| {
            let title = match fix.applicability {
                Applicability::Safe => fix.title.clone(),
                Applicability::Unsafe => format!("{} (unsafe: may change what the program does)", fix.title),
                Applicability::DisplayOnly => return None,
            };
            Some(CodeAction {
                title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: diagnostic.clone().map(|diagnostic| vec![diagnostic]),
                edit: Some(workspace_edit(state, &fix.edits)?),
                is_preferred: Some(best == Some(number)),
                data: Some(json!({ "fix": to_lsp::fix_id(finding) })),
                ..CodeAction::default()
            })
        })
        .collect()
}

/// Every safe fix of the document, the first of each finding, as far as they do not overlap.
fn fix_all(state: &State, document: &Document, findings: &[&Finding]) -> Option<CodeAction> {
    let is_safe = |fix: &&Fix| {
        fix.applicability == Applicability::Safe && fix.edits.iter().all(|edit| edit.path == document.path)
    };
    let mut edits: Vec<Edit> = Vec::new();
    for fix in findings
        .iter()
        .filter_map(|finding| finding.fixes.iter().find(is_safe))
    {
        let fits = |edit: &Edit| edits.iter().all(|taken| !touches(taken.range, edit.range));
        if fix.edits.iter().all(fits) {
            edits.extend(fix.edits.iter().cloned());
        }
    }
    if edits.is_empty() {
        return None;
    }
    Some(CodeAction {
        title: "Apply all safe fixes of DeepLocalize".to_owned(),
        kind: Some(FIX_ALL),
        edit: Some(workspace_edit(state, &edits)?),
        ..CodeAction::default()
    })
}

/// The edits in the client's terms, for the versions they were made for; `None` when a text is not known.
fn workspace_edit(state: &State, edits: &[Edit]) -> Option<WorkspaceEdit> {
    let mut files: Vec<(Uri, Vec<TextEdit>)> = Vec::new();
    for edit in edits {
        let place = state.location(&edit.path, edit.range)?;
        let text_edit = TextEdit::new(place.range, edit.new_text.clone());
        match files.iter_mut().find(|(uri, _)| *uri == place.uri) {
            Some((_, edits)) => edits.push(text_edit),
            None => files.push((place.uri, vec![text_edit])),
        }
    }
    if !state.client.versioned_edits {
        return Some(WorkspaceEdit::new(HashMap::from_iter(files)));
    }
    let changes = files
        .into_iter()
        .map(|(uri, edits)| TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version: state.documents.get(&uri).map(|document| document.version),
                uri,
            },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        })
        .collect();
    Some(WorkspaceEdit {
        document_changes: Some(DocumentChanges::Edits(changes)),
        ..WorkspaceEdit::default()
    })
}
