//! Notices the death of the process that started the server: an editor that was killed sends no `exit`.

use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Pid, getppid};
use tokio::sync::watch;

const INTERVAL: Duration = Duration::from_secs(1);

/// Tells which process to watch.
#[derive(Clone, Debug)]
pub struct Watch(watch::Sender<Option<i32>>);

/// Waits for its death.
#[derive(Debug)]
pub struct Gone(watch::Receiver<Option<i32>>);

/// A watch that does nothing until it is told the process.
pub fn watch() -> (Watch, Gone) {
    let (sender, receiver) = watch::channel(None);
    (Watch(sender), Gone(receiver))
}

impl Watch {
    /// Watches the process of that id, unless there is none: an editor outside the container of the server
    /// gives an id that means nothing here, and must not end the session.
    pub fn start(&self, process: u32) {
        match i32::try_from(process) {
            Ok(process) if process > 0 && exists(process) => {
                self.0.send_replace(Some(process));
            }
            _ => tracing::warn!("process {process} of the client cannot be seen from here; not watching it"),
        }
    }
}

impl Gone {
    /// Returns when the watched process is gone, and not before one is watched.
    pub async fn wait(&mut self) {
        let Ok(process) = self.0.wait_for(Option::is_some).await.map(|process| *process) else {
            return std::future::pending().await;
        };
        let Some(process) = process else {
            return std::future::pending().await;
        };
        // A dead parent may stay in the process table until somebody reaps it; losing it as parent tells at once.
        let is_parent = getppid() == Pid::from_raw(process);
        while exists(process) && (!is_parent || getppid() == Pid::from_raw(process)) {
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

fn exists(process: i32) -> bool {
    kill(Pid::from_raw(process), None) != Err(Errno::ESRCH)
}
