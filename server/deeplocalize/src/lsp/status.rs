//! `deeplocalize/status`: what the server is doing, for clients that have a place to show it in.

use finding::Verdict;
use serde::{Deserialize, Serialize};
use tower_lsp::ls_types::LSPAny;
use tower_lsp::ls_types::notification::Notification;

use super::client::Message;
use super::state::State;

/// Sent when a run starts, goes on and ends, to clients that asked for it with `"status": true` at `initialize`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether a script is running.
    pub state: Activity,
    /// Name of the script.
    pub script: String,
    /// How far the run has got, or what came out of it.
    pub message: String,
    /// What the run says of the script, once it is over and nobody cancelled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// What the server is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activity {
    /// Nothing but quick checks.
    Idle,
    /// A script is running.
    Running,
}

impl Notification for Status {
    type Params = Status;
    const METHOD: &'static str = "deeplocalize/status";
}

/// Whether the client asks for the notification.
pub fn is_wanted(initialization_options: Option<&LSPAny>) -> bool {
    initialization_options.and_then(|options| options.get("status")) == Some(&LSPAny::Bool(true))
}

/// A run of `script` goes on.
pub fn running(state: &State, script: String, message: String) {
    send(state, Activity::Running, script, message, None);
}

/// A run of `script` is over.
pub fn ended(state: &State, script: String, message: String, verdict: Option<Verdict>) {
    send(state, Activity::Idle, script, message, verdict);
}

fn send(state: &State, activity: Activity, script: String, message: String, verdict: Option<Verdict>) {
    if state.shows_status {
        state.say(Message::Status(Status {
            state: activity,
            script,
            message,
            verdict,
        }));
    }
}
