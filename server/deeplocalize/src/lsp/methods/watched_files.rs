//! `workspace/didChangeWatchedFiles`: settings files are read again.

use super::super::quick_check;
use super::super::state::State;

/// Settings files changed on disk.
pub fn did_change_watched_files(state: &mut State) {
    state.configuration.forget();
    quick_check::again(state);
}
