//! Everything the main loop owns.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tower_lsp::ls_types::{LSPAny, MessageType, Uri};

use super::capabilities::ClientSupport;
use super::client::Message;
use super::document::Document;
use super::event::Event;
use super::notebook::Notebook;
use super::position::Encoding;
use super::quick_check::Checker;
use super::run::{Runner, Runs};
use super::run_results::RunResults;
use super::settings::Settings;
use crate::config::Configuration;
use crate::report::Report;

/// The server's state. Only the main loop has it, so there are no locks.
pub struct State {
    /// Where results of other threads go.
    pub events: mpsc::UnboundedSender<Event>,
    /// Where messages to the client go.
    pub messages: mpsc::UnboundedSender<Message>,
    /// Checks a text.
    pub checker: Checker,
    /// Runs a script.
    pub runner: Runner,
    /// Which rules count in which file.
    pub configuration: Arc<Configuration>,
    /// What the client can do.
    pub client: ClientSupport,
    /// What a column counts.
    pub encoding: Encoding,
    /// Whether the client says that the user trusts the workspace.
    pub trusted: bool,
    /// Whether the client wants to be told what the server is doing.
    pub shows_status: bool,
    /// Settings of runs.
    pub settings: Settings,
    /// Settings of rules that the client gave.
    pub rules: serde_json::Map<String, LSPAny>,
    /// What was wrong with the settings given at the start; told once the client listens.
    pub problems: Vec<String>,
    /// Folders of the workspace.
    pub folders: Vec<PathBuf>,
    /// The open documents.
    pub documents: HashMap<Uri, Document>,
    /// The open notebooks; their cells are among the documents.
    pub notebooks: HashMap<Uri, Notebook>,
    /// What runs found.
    pub results: RunResults,
    /// What the last run found, with what it recorded.
    pub last_report: Option<Box<Report>>,
    /// The page made of it, removed with the server.
    pub report_file: Option<tempfile::TempPath>,
    /// The present run and the next.
    pub runs: Runs,
    /// Documents for which the client holds diagnostics that were pushed.
    pub pushed: HashSet<Uri>,
    /// Told when the last run is gone, at the end of the server.
    pub stopped: Option<oneshot::Sender<()>>,
    revisions: u64,
}

impl State {
    /// State before `initialize`.
    pub fn new(
        events: mpsc::UnboundedSender<Event>,
        messages: mpsc::UnboundedSender<Message>,
        checker: Checker,
        runner: Runner,
        configuration: Arc<Configuration>,
    ) -> Self {
        State {
            events,
            messages,
            checker,
            runner,
            configuration,
            client: ClientSupport::default(),
            encoding: Encoding::default(),
            trusted: false,
            shows_status: false,
            settings: Settings::default(),
            rules: serde_json::Map::new(),
            problems: Vec::new(),
            folders: Vec::new(),
            documents: HashMap::new(),
            notebooks: HashMap::new(),
            results: RunResults::default(),
            last_report: None,
            report_file: None,
            runs: Runs::default(),
            pushed: HashSet::new(),
            stopped: None,
            revisions: 0,
        }
    }

    /// Queues a message to the client.
    pub fn say(&self, message: Message) {
        // The receiver ends only with the server.
        let _ = self.messages.send(message);
    }

    /// Shows a message to the user.
    pub fn show(&self, severity: MessageType, text: impl Into<String>) {
        self.say(Message::Show(severity, text.into()));
    }

    /// Says what is wrong with settings files that were read meanwhile.
    pub fn tell_settings_errors(&self) {
        for error in self.configuration.take_errors() {
            self.show(MessageType::WARNING, format!("DeepLocalize: {}.", error.message));
        }
    }

    /// A number no text of the session has had.
    pub fn next_revision(&mut self) -> u64 {
        self.revisions += 1;
        self.revisions
    }
}
