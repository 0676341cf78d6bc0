//! The protocol's methods. Each forwards an event before its first await, because handlers run concurrently and
//! only what happens before the first await happens in the order of the messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot};
use tower_lsp::LanguageServer;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, DidChangeConfigurationParams,
    DidChangeNotebookDocumentParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidCloseNotebookDocumentParams, DidCloseTextDocumentParams, DidOpenNotebookDocumentParams,
    DidOpenTextDocumentParams, DidSaveNotebookDocumentParams, DidSaveTextDocumentParams,
    DocumentDiagnosticParams, DocumentDiagnosticReportResult, DocumentSymbolParams, DocumentSymbolResponse,
    ExecuteCommandParams, Hover, HoverParams, InitializeParams, InitializeResult, InitializedParams,
    InlayHint, InlayHintParams, LSPAny, WorkDoneProgressCancelParams,
};

use super::event::{Answer, Event, Question};
use super::parent::Watch;

/// Forwards what the client says to the main loop.
#[derive(Debug)]
pub struct Backend {
    events: mpsc::UnboundedSender<Event>,
    parent: Watch,
    shutdown: Arc<AtomicBool>,
}

impl Backend {
    /// `shutdown` is set when the client asks for the end.
    pub fn new(events: mpsc::UnboundedSender<Event>, parent: Watch, shutdown: Arc<AtomicBool>) -> Self {
        Backend {
            events,
            parent,
            shutdown,
        }
    }

    /// `window/workDoneProgress/cancel`, which the trait of the library lacks.
    pub async fn work_done_progress_cancel(&self, params: WorkDoneProgressCancelParams) {
        self.tell(Event::ProgressCancelled(params.token));
    }

    fn tell(&self, event: Event) {
        if self.events.send(event).is_err() {
            tracing::error!("the main loop is gone");
        }
    }

    async fn ask<T>(&self, event: impl FnOnce(Answer<T>) -> Event) -> Result<T> {
        let (answer, waits) = oneshot::channel();
        self.tell(event(answer));
        waits.await.unwrap_or_else(|_| Err(Error::internal_error()))
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        if let Some(process) = params.process_id {
            self.parent.start(process);
        }
        self.ask(|answer| Event::Initialize(Box::new(params), answer))
            .await
    }

    async fn initialized(&self, _: InitializedParams) {
        self.tell(Event::Initialized);
    }

    async fn shutdown(&self) -> Result<()> {
        self.shutdown.store(true, Ordering::Relaxed);
        self.ask(Event::Shutdown).await
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.tell(Event::Open(params.text_document));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.tell(Event::Change(params));
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.tell(Event::Save(params.text_document.uri));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tell(Event::Close(params.text_document.uri));
    }

    async fn notebook_did_open(&self, params: DidOpenNotebookDocumentParams) {
        self.tell(Event::NotebookOpen(params));
    }

    async fn notebook_did_change(&self, params: DidChangeNotebookDocumentParams) {
        self.tell(Event::NotebookChange(params));
    }

    async fn notebook_did_save(&self, params: DidSaveNotebookDocumentParams) {
        self.tell(Event::NotebookSave(params.notebook_document.uri));
    }

    async fn notebook_did_close(&self, params: DidCloseNotebookDocumentParams) {
        self.tell(Event::NotebookClose(params));
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.tell(Event::Configuration(params.settings));
    }

    async fn did_change_watched_files(&self, _: DidChangeWatchedFilesParams) {
        self.tell(Event::SettingsFilesChanged);
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        let uri = params.text_document.uri;
        self.ask(|answer| Event::Ask(uri, Question::Diagnostics(params.previous_result_id, answer)))
            .await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.ask(|answer| Event::Ask(params.text_document.uri, Question::Lenses(answer)))
            .await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let uri = params.text_document.uri.clone();
        self.ask(|answer| Event::Ask(uri, Question::Actions(Box::new(params), answer)))
            .await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        self.ask(|answer| Event::Ask(params.text_document.uri, Question::Hints(params.range, answer)))
            .await
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let place = params.text_document_position_params;
        self.ask(|answer| Event::Ask(place.text_document.uri, Question::Hover(place.position, answer)))
            .await
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        self.ask(|answer| Event::Ask(params.text_document.uri, Question::Symbols(answer)))
            .await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
        self.ask(|answer| Event::Command(params, answer)).await
    }
}
