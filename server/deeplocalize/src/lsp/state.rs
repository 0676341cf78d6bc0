//! Everything the main loop owns.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};
use tower_lsp::ls_types::{MessageType, Uri};

use super::capabilities::ClientSupport;
use super::client::Message;
use super::document::Document;
use super::event::Event;
use super::position::Encoding;
use super::quick_check::Checker;
use super::run::{Runner, Runs};
use super::run_results::RunResults;
use super::settings::Settings;

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
    /// What the client can do.
    pub client: ClientSupport,
    /// What a column counts.
    pub encoding: Encoding,
    /// Whether the client says that the user trusts the workspace.
    pub trusted: bool,
    /// Settings of runs.
    pub settings: Settings,
    /// What was wrong with the settings given at the start; told once the client listens.
    pub problems: Vec<String>,
    /// Folders of the workspace.
    pub folders: Vec<PathBuf>,
    /// The open documents.
    pub documents: HashMap<Uri, Document>,
    /// What runs found.
    pub results: RunResults,
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
    ) -> Self {
        State {
            events,
            messages,
            checker,
            runner,
            client: ClientSupport::default(),
            encoding: Encoding::default(),
            trusted: false,
            settings: Settings::default(),
            problems: Vec::new(),
            folders: Vec::new(),
            documents: HashMap::new(),
            results: RunResults::default(),
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

    /// A number no text of the session has had.
    pub fn next_revision(&mut self) -> u64 {
        self.revisions += 1;
        self.revisions
    }
}
