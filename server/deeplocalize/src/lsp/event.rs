//! Everything that can happen to the main loop.

use std::path::PathBuf;

use tokio::sync::oneshot;
use tower_lsp::jsonrpc;
use tower_lsp::ls_types::{
    self, CodeActionParams, CodeActionResponse, CodeLens, DidChangeNotebookDocumentParams,
    DidChangeTextDocumentParams, DidCloseNotebookDocumentParams, DidOpenNotebookDocumentParams,
    DocumentDiagnosticReportResult, DocumentSymbolResponse, ExecuteCommandParams, Hover, InitializeParams,
    InitializeResult, InlayHint, LSPAny, Position, ProgressToken, TextDocumentItem, Uri,
};

use super::notebook::Cell;
use super::quick_check::CheckedFile;
use crate::report::Report;
use crate::run::Progress;

/// Where the answer to a request goes.
pub type Answer<T> = oneshot::Sender<jsonrpc::Result<T>>;

/// One event.
#[derive(Debug)]
pub enum Event {
    /// `initialize`.
    Initialize(Box<InitializeParams>, Answer<InitializeResult>),
    /// `initialized`.
    Initialized,
    /// `textDocument/didOpen`.
    Open(TextDocumentItem),
    /// `textDocument/didChange`.
    Change(DidChangeTextDocumentParams),
    /// `textDocument/didSave`.
    Save(Uri),
    /// `textDocument/didClose`.
    Close(Uri),
    /// `notebookDocument/didOpen`.
    NotebookOpen(DidOpenNotebookDocumentParams),
    /// `notebookDocument/didChange`.
    NotebookChange(DidChangeNotebookDocumentParams),
    /// `notebookDocument/didSave`.
    NotebookSave(Uri),
    /// `notebookDocument/didClose`.
    NotebookClose(DidCloseNotebookDocumentParams),
    /// `workspace/didChangeConfiguration`: what the client sent.
    Configuration(LSPAny),
    /// The settings, as the client answered `workspace/configuration`.
    Settings(LSPAny),
    /// `workspace/didChangeWatchedFiles`: settings files changed.
    SettingsFilesChanged,
    /// A request about one document.
    Ask(Uri, Question),
    /// `workspace/executeCommand`.
    Command(ExecuteCommandParams, Answer<Option<LSPAny>>),
    /// `window/workDoneProgress/cancel`.
    ProgressCancelled(ProgressToken),
    /// `shutdown`.
    Shutdown(Answer<()>),

    /// A quick check is over; `None` when it panicked or took too long.
    Checked(Uri, u64, Option<CheckedFile>),
    /// A check of a notebook's cells is over: what was found, by cell; `None` when it panicked or took too long.
    NotebookChecked(Uri, Vec<Cell>, Option<Vec<CheckedFile>>),

    /// The client made (or refused to make) the progress of the run of that generation.
    ProgressCreated(u64, bool),
    /// The run of that generation got further.
    RunProgress(u64, Progress),
    /// The run of that generation uses texts of the editor that are not on disk.
    RunUsesUnsavedTexts(u64, Vec<PathBuf>),
    /// The run of that generation is over; `None` when it panicked.
    RunFinished(u64, Option<Box<Report>>),

    /// The client is gone: answer when everything that was started is gone too.
    Stop(oneshot::Sender<()>),
}

/// A request whose answer needs the findings for the current text.
#[derive(Debug)]
pub enum Question {
    /// `textDocument/diagnostic`, with the id of the result the client has.
    Diagnostics(Option<String>, Answer<DocumentDiagnosticReportResult>),
    /// `textDocument/codeLens`.
    Lenses(Answer<Option<Vec<CodeLens>>>),
    /// `textDocument/codeAction`.
    Actions(Box<CodeActionParams>, Answer<Option<CodeActionResponse>>),
    /// `textDocument/inlayHint`, for that range.
    Hints(ls_types::Range, Answer<Option<Vec<InlayHint>>>),
    /// `textDocument/hover`, at that position.
    Hover(Position, Answer<Option<Hover>>),
    /// `textDocument/documentSymbol`.
    Symbols(Answer<Option<DocumentSymbolResponse>>),
    /// The command that checks a document.
    Summary(Answer<Option<LSPAny>>),
}
