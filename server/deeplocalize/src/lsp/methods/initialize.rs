//! `initialize` and `initialized`.

use tower_lsp::ls_types::{InitializeParams, InitializeResult, MessageType, ServerInfo};

use super::super::capabilities::{self, ClientSupport};
use super::super::client::Message;
use super::super::places;
use super::super::position::Encoding;
use super::super::settings;
use super::super::state::State;
use super::super::status;
use super::configuration;

/// Agrees with the client on encoding and capabilities, and reads trust and settings.
pub fn initialize(state: &mut State, params: InitializeParams) -> InitializeResult {
    state.trusted = settings::is_trusted(params.initialization_options.as_ref());
    state.shows_status = status::is_wanted(params.initialization_options.as_ref());
    state.client = ClientSupport::new(&params.capabilities);
    let offered = params
        .capabilities
        .general
        .and_then(|general| general.position_encodings);
    state.encoding = Encoding::negotiate(offered.as_deref());
    state.folders = params
        .workspace_folders
        .unwrap_or_default()
        .iter()
        .filter_map(|folder| places::file_path(&folder.uri))
        .collect();
    if let Some(settings) = params
        .initialization_options
        .as_ref()
        .and_then(|options| options.get("settings"))
    {
        state.problems = state.settings.merge(settings);
        let (_, problems) = configuration::rules(state, settings);
        state.problems.extend(problems);
    }

    InitializeResult {
        capabilities: capabilities::server(state.encoding, state.client),
        server_info: Some(ServerInfo {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        offset_encoding: None,
    }
}

/// The client listens: says what was wrong with the settings, and asks for those of the editor.
pub fn initialized(state: &mut State) {
    for problem in std::mem::take(&mut state.problems) {
        state.show(MessageType::WARNING, format!("DeepLocalize: {problem}."));
    }
    if state.client.configuration {
        state.say(Message::AskSettings);
    }
    if state.client.watched_files {
        state.say(Message::WatchSettingsFiles);
    }
}
