//! What the server says to the client. The main loop only queues messages; this task sends them.

use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc;
use tower_lsp::Client;
use tower_lsp::ls_types::notification::Progress;
use tower_lsp::ls_types::{
    ConfigurationItem, Diagnostic, LSPAny, MessageType, ProgressParams, ProgressParamsValue, ProgressToken,
    Registration, ShowDocumentParams, Uri, WorkDoneProgress,
};

use super::event::Event;
use super::status::Status;
use crate::config::FILE_NAMES;

/// How long the client may take to answer a request. Some never answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// One message to the client.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// `textDocument/publishDiagnostics`.
    Publish(Uri, Vec<Diagnostic>, Option<i32>),
    /// `window/showMessage`.
    Show(MessageType, String),
    /// `window/workDoneProgress/create` for the run of that generation.
    CreateProgress(u64, ProgressToken),
    /// `$/progress`.
    Progress(ProgressToken, WorkDoneProgress),
    /// `window/showDocument`, outside the editor.
    ShowDocument(Uri),
    /// `deeplocalize/status`.
    Status(Status),
    /// `workspace/diagnostic/refresh`.
    RefreshDiagnostics,
    /// `workspace/codeLens/refresh`.
    RefreshLenses,
    /// `workspace/inlayHint/refresh`.
    RefreshHints,
    /// `workspace/configuration`.
    AskSettings,
    /// `client/registerCapability`: to be told when settings files change.
    WatchSettingsFiles,
}

/// Sends messages in order until the main loop ends. Requests are not waited for: their answers become events.
pub async fn deliver(
    client: Client,
    mut messages: mpsc::UnboundedReceiver<Message>,
    events: mpsc::UnboundedSender<Event>,
) {
    while let Some(message) = messages.recv().await {
        match message {
            Message::Publish(uri, diagnostics, version) => {
                client.publish_diagnostics(uri, diagnostics, version).await
            }
            Message::Show(severity, text) => client.show_message(severity, text).await,
            Message::Progress(token, progress) => {
                let value = ProgressParamsValue::WorkDone(progress);
                client
                    .send_notification::<Progress>(ProgressParams { token, value })
                    .await;
            }
            Message::Status(status) => client.send_notification::<Status>(status).await,
            request => {
                tokio::spawn(ask(client.clone(), request, events.clone()));
            }
        }
    }
}

async fn ask(client: Client, request: Message, events: mpsc::UnboundedSender<Event>) {
    let answer = tokio::time::timeout(ANSWER_LIMIT, async {
        match &request {
            Message::RefreshDiagnostics => client.workspace_diagnostic_refresh().await.map(|()| LSPAny::Null),
            Message::ShowDocument(uri) => {
                let params = ShowDocumentParams {
                    uri: uri.clone(),
                    external: Some(true),
                    take_focus: None,
                    selection: None,
                };
                client.show_document(params).await.map(|_| LSPAny::Null)
            }
            Message::RefreshLenses => client.code_lens_refresh().await.map(|()| LSPAny::Null),
            Message::RefreshHints => client.inlay_hint_refresh().await.map(|()| LSPAny::Null),
            Message::CreateProgress(_, token) => client
                .create_work_done_progress(token.clone())
                .await
                .map(|()| LSPAny::Null),
            Message::AskSettings => {
                let item = ConfigurationItem {
                    scope_uri: None,
                    section: Some("deeplocalize".to_owned()),
                };
                let values = client.configuration(vec![item]).await?;
                Ok(values.into_iter().next().unwrap_or_default())
            }
            Message::WatchSettingsFiles => {
                let watchers = FILE_NAMES
                    .iter()
                    .map(|name| json!({ "globPattern": format!("**/{name}") }));
                let registration = Registration {
                    id: "settings-files".to_owned(),
                    method: "workspace/didChangeWatchedFiles".to_owned(),
                    register_options: Some(json!({ "watchers": watchers.collect::<Vec<_>>() })),
                };
                let registered = client.register_capability(vec![registration]).await;
                registered.map(|()| LSPAny::Null)
            }
            Message::Publish(..) | Message::Show(..) | Message::Progress(..) | Message::Status(..) => {
                Ok(LSPAny::Null)
            }
        }
    })
    .await;
    let answer = match answer {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            tracing::warn!("the client refused {request:?}: {error}");
            None
        }
        Err(_) => {
            tracing::warn!("the client did not answer {request:?} within {ANSWER_LIMIT:?}");
            None
        }
    };
    let event = match (request, answer) {
        (Message::CreateProgress(generation, _), answer) => {
            Event::ProgressCreated(generation, answer.is_some())
        }
        (Message::AskSettings, Some(settings)) => Event::Settings(settings),
        _ => return,
    };
    // At the end of the server nobody needs the answer any more.
    let _ = events.send(event);
}
