//! What the client can do and what the server offers.

use tower_lsp::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    DiagnosticOptions, DiagnosticServerCapabilities, ExecuteCommandOptions, HoverProviderCapability,
    MarkupKind, NotebookCellSelector, NotebookDocumentSyncOptions, NotebookSelector, OneOf, SaveOptions,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions,
};

use super::methods::execute_command::COMMANDS;
use super::position::Encoding;

/// Kind of the action that applies every safe fix of a document.
pub const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.deeplocalize");

/// The client's abilities that change what the server does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientSupport {
    /// It pulls diagnostics of open documents.
    pub pull: bool,
    /// It pulls them again when asked to.
    pub refresh_diagnostics: bool,
    /// It asks for code lenses again when asked to.
    pub refresh_lenses: bool,
    /// It shows progress that the server begins.
    pub progress: bool,
    /// It answers `workspace/configuration`.
    pub configuration: bool,
    /// It tells when files change, once it is asked to.
    pub watched_files: bool,
    /// It opens documents when asked to.
    pub show_document: bool,
    /// It applies edits that name the version they were made for.
    pub versioned_edits: bool,
    /// It asks for inlay hints again when asked to.
    pub refresh_hints: bool,
    /// It shows Markdown in a hover.
    pub markdown_hover: bool,
    /// It shows symbols within symbols.
    pub nested_symbols: bool,
    /// It shows the places that belong to a diagnostic.
    pub related_information: bool,
}

impl ClientSupport {
    /// Reads them from what the client declares.
    pub fn new(client: &ClientCapabilities) -> Self {
        let text = client.text_document.as_ref();
        let workspace = client.workspace.as_ref();
        ClientSupport {
            pull: text.is_some_and(|text| text.diagnostic.is_some()),
            refresh_diagnostics: workspace
                .and_then(|workspace| workspace.diagnostics.as_ref()?.refresh_support)
                .unwrap_or_default(),
            refresh_lenses: workspace
                .and_then(|workspace| workspace.code_lens.as_ref()?.refresh_support)
                .unwrap_or_default(),
            progress: client
                .window
                .as_ref()
                .and_then(|window| window.work_done_progress)
                .unwrap_or_default(),
            configuration: workspace
                .and_then(|workspace| workspace.configuration)
                .unwrap_or_default(),
            watched_files: workspace
                .and_then(|workspace| workspace.did_change_watched_files?.dynamic_registration)
                .unwrap_or_default(),
            show_document: client
                .window
                .as_ref()
                .and_then(|window| window.show_document.as_ref())
                .is_some_and(|show| show.support),
            versioned_edits: workspace
                .and_then(|workspace| workspace.workspace_edit.as_ref()?.document_changes)
                .unwrap_or_default(),
            refresh_hints: workspace
                .and_then(|workspace| workspace.inlay_hint.as_ref()?.refresh_support)
                .unwrap_or_default(),
            markdown_hover: text
                .and_then(|text| text.hover.as_ref()?.content_format.as_ref())
                .is_some_and(|formats| formats.contains(&MarkupKind::Markdown)),
            nested_symbols: text
                .and_then(|text| {
                    text.document_symbol
                        .as_ref()?
                        .hierarchical_document_symbol_support
                })
                .unwrap_or_default(),
            related_information: text
                .and_then(|text| text.publish_diagnostics.as_ref()?.related_information)
                .unwrap_or_default(),
        }
    }

    /// Whether findings of runs reach open documents by pull. A client that cannot be asked to pull again
    /// would learn of them only at the next edit, so it gets them pushed.
    pub const fn pulls_run_findings(self) -> bool {
        self.pull && self.refresh_diagnostics
    }
}

/// What the server offers to a client.
pub fn server(encoding: Encoding, client: ClientSupport) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions {
                include_text: Some(false),
            })),
            ..TextDocumentSyncOptions::default()
        })),
        notebook_document_sync: Some(OneOf::Left(NotebookDocumentSyncOptions {
            notebook_selector: vec![NotebookSelector::ByCells {
                notebook: None,
                cells: vec![NotebookCellSelector {
                    language: "python".to_owned(),
                }],
            }],
            save: Some(true),
        })),
        // Offered only where it is used, so that no client both pulls and receives.
        diagnostic_provider: client.pull.then(|| {
            DiagnosticServerCapabilities::Options(DiagnosticOptions {
                identifier: Some("deeplocalize".to_owned()),
                inter_file_dependencies: false,
                workspace_diagnostics: false,
                ..DiagnosticOptions::default()
            })
        }),
        code_lens_provider: Some(CodeLensOptions {
            resolve_provider: Some(false),
        }),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, FIX_ALL]),
            ..CodeActionOptions::default()
        })),
        inlay_hint_provider: Some(OneOf::Left(true)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: COMMANDS.map(str::to_owned).to_vec(),
            ..ExecuteCommandOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}
