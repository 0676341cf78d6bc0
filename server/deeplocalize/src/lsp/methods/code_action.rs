//! `textDocument/codeAction`: the fixes of the findings in a range, those with the largest measured effect first; trying them; and
//! all safe ones at once.
//!
//! Everything is read from the findings the server holds: some clients drop what a diagnostic carries for later.

use std::collections::HashMap;

use finding::{Applicability, Edit, Finding, Fix, Severity};
use serde_json::json;
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, Command,
    DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, TextDocumentEdit, TextEdit, Uri,
    WorkspaceEdit,
};

use super::super::capabilities::FIX_ALL;
use super::super::document::Document;
use super::super::state::State;
use super::super::{publish, to_lsp};
use super::execute_command::TRY_FIXES;
use crate::fixes::{self, touches};
use crate::report::effect;
use crate::suppress;

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
        let here = || findings.iter().filter(|finding| touches(finding.range, range));
        let mut fixes: Vec<(f64, CodeAction)> =
            here().flat_map(|finding| quick_fixes(state, finding)).collect();
        fixes.sort_by(|a, b| b.0.total_cmp(&a.0));
        actions.extend(fixes.into_iter().map(|(_, action)| action));
        let faulty = here().any(|finding| finding.severity >= Severity::Warning);
        actions.extend(try_fixes(state, uri).filter(|_| faulty));
        actions.extend(here().filter_map(|finding| silence(state, document, finding)));
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

/// The fixes of a finding, with the gain that was measured (0 where none was).
fn quick_fixes(state: &State, finding: &Finding) -> Vec<(f64, CodeAction)> {
    let diagnostic = to_lsp::diagnostic(state, finding);
    let safe = |fix: &Fix| fix.applicability == Applicability::Safe;
    // What was shown to help is better than what merely does no harm.
    let best = finding
        .fixes
        .iter()
        .position(|fix| fix.trial.is_some())
        .or_else(|| finding.fixes.iter().position(safe));
    let fixes = finding.fixes.iter().enumerate();
    fixes
        .filter_map(|(number, fix)| {
            let title = match (&fix.trial, fix.applicability) {
                (_, Applicability::DisplayOnly) => return None,
                (Some(trial), _) => format!("{} ({})", fix.title, effect(trial)),
                (None, Applicability::Safe) => fix.title.clone(),
                (None, Applicability::Unsafe) => {
                    format!("{} (unsafe: may change what the program does)", fix.title)
                }
            };
            let action = CodeAction {
                title,
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: diagnostic.clone().map(|diagnostic| vec![diagnostic]),
                edit: Some(workspace_edit(state, &fix.edits)?),
                is_preferred: Some(best == Some(number)),
                data: Some(json!({ "fix": to_lsp::fix_id(finding) })),
                ..CodeAction::default()
            };
            let gain = fix
                .trial
                .as_ref()
                .map_or(0.0, |trial| match trial.after - trial.before {
                    gain if gain.is_nan() => 1.0,
                    // Whatever is far below a constant is no better a start than a constant.
                    gain => gain.clamp(0.0, 1.0) + 1.0,
                });
            Some((gain, action))
        })
        .collect()
}

/// Tries all fixes, and changes that no rule proposes, in short trainings.
fn try_fixes(state: &State, uri: &Uri) -> Option<CodeAction> {
    super::super::places::file_path(uri).filter(|_| state.trusted)?;
    let title = "Try all fixes of DeepLocalize (runs the script)";
    Some(CodeAction {
        title: title.to_owned(),
        kind: Some(CodeActionKind::QUICKFIX),
        command: Some(Command::new(
            title.to_owned(),
            TRY_FIXES.to_owned(),
            Some(vec![json!(uri)]),
        )),
        is_preferred: Some(false),
        ..CodeAction::default()
    })
}

/// The comment that silences a finding.
fn silence(state: &State, document: &Document, finding: &Finding) -> Option<CodeAction> {
    let edit = suppress::silence(document.text.as_str(), finding)?;
    Some(CodeAction {
        title: format!("Ignore {} on this line", finding.code),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: to_lsp::diagnostic(state, finding).map(|diagnostic| vec![diagnostic]),
        edit: Some(workspace_edit(state, &[edit])?),
        is_preferred: Some(false),
        ..CodeAction::default()
    })
}

/// Every safe fix of the document, the first of each finding, as far as they do not overlap.
fn fix_all(state: &State, document: &Document, findings: &[&Finding]) -> Option<CodeAction> {
    let fixes = fixes::compatible(findings.iter().copied(), &document.path, Applicability::Safe);
    let edits: Vec<Edit> = fixes
        .into_iter()
        .flat_map(|(_, fix)| fix.edits.iter().cloned())
        .collect();
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
