//! Life of the server: from the start to the end of its input, `exit`, or the death of the editor.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tower_lsp::{LspService, Server};
use tracing_subscriber::EnvFilter;

use super::backend::Backend;
use super::event::Event;
use super::main_loop::MainLoop;
use super::state::State;
use super::{client, parent, quick_check};
use crate::run;

/// How long the end of the server waits for a run to put its processes away.
const RUN_END_LIMIT: Duration = Duration::from_secs(10);

/// Runs the language server on standard input and output until the client ends it.
pub fn serve() -> ExitCode {
    log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("deeplocalize: cannot start the language server: {error}");
            return ExitCode::from(2);
        }
    };
    let orderly = runtime.block_on(session());
    // Standard input is read by a thread that cannot be interrupted; waiting for it would outlive `exit`.
    runtime.shutdown_background();
    if orderly {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Serves one client; whether it asked for the shutdown before the end.
async fn session() -> bool {
    let (events, inbox) = mpsc::unbounded_channel();
    let (messages, outbox) = mpsc::unbounded_channel();
    let (parent, mut parent_gone) = parent::watch();
    let shutdown = Arc::new(AtomicBool::new(false));

    let (service, socket) = LspService::build(|client| {
        tokio::spawn(client::deliver(client, outbox, events.clone()));
        Backend::new(events.clone(), parent, Arc::clone(&shutdown))
    })
    .custom_method(
        "window/workDoneProgress/cancel",
        Backend::work_done_progress_cancel,
    )
    .finish();
    let state = State::new(
        events.clone(),
        messages,
        Arc::new(quick_check::check),
        Arc::new(run::localize),
    );
    tokio::spawn(MainLoop::new(state, inbox).run());

    tokio::select! {
        () = Server::new(tokio::io::stdin(), tokio::io::stdout(), socket).serve(service) => {}
        () = parent_gone.wait() => tracing::info!("the editor is gone"),
    }
    let (done, waits) = oneshot::channel();
    if events.send(Event::Stop(done)).is_ok() && tokio::time::timeout(RUN_END_LIMIT, waits).await.is_err() {
        tracing::error!("the run did not end within {RUN_END_LIMIT:?}");
    }
    shutdown.load(Ordering::Relaxed)
}

/// Standard output belongs to the protocol, so the log goes to standard error.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("DEEPLOCALIZE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    // A front door that has set up its own log keeps it.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}
