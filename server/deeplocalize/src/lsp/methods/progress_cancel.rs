//! `window/workDoneProgress/cancel`.

use tower_lsp::ls_types::ProgressToken;

use super::super::run;
use super::super::state::State;

/// The user cancelled a progress; late cancellations of runs that are over do nothing.
pub fn progress_cancel(state: &mut State, token: &ProgressToken) {
    if let Some(generation) = run::progress::generation(token) {
        run::cancel_generation(state, generation);
    }
}
