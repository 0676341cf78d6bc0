//! Ending every process that descends from this one.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::Status;
use crate::limits::Excess;

/// What the supervisor waits for.
pub(crate) enum Happened {
    /// The other end of the channel was closed.
    ToolGone,
    /// The script's own process ended.
    ScriptEnded(Status),
    /// No child is left, alive or dead.
    AllGone,
    /// A limit was exceeded.
    Excess(Excess),
}

/// Waits for children, orphans handed to this process included, until there are none; `told` hears of it.
pub(crate) fn reap(script: Pid, told: &dyn Fn(Happened)) {
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == script => {
                told(Happened::ScriptEnded(Status::Code(code)))
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == script => {
                told(Happened::ScriptEnded(Status::Signal(signal as i32)));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return told(Happened::AllGone),
        }
    }
}

/// Kills until [`reap`] reports that no child is left or `limit` is over. Whether none is left.
pub(crate) fn kill_all(script: Pid, told: &Receiver<Happened>, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        kill_children(script);
        match told.recv_timeout(Duration::from_millis(2)) {
            Ok(Happened::AllGone) | Err(RecvTimeoutError::Disconnected) => return true,
            _ if Instant::now() < deadline => {}
            _ => return false,
        }
    }
}

/// This process is the subreaper: what its children leave behind becomes its child in turn, so killing children
/// until there are none reaches every descendant, however it detached itself.
#[cfg(target_os = "linux")]
fn kill_children(_: Pid) {
    use nix::sys::signal::{Signal, kill};

    let own = std::process::id();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return;
    };
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        if parent(pid) == Some(own) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// Without a subreaper only the script's process group can be reached.
#[cfg(not(target_os = "linux"))]
fn kill_children(script: Pid) {
    use nix::sys::signal::{Signal, killpg};

    let _ = killpg(script, Signal::SIGKILL);
}

/// Parent of a process: the second field after the parenthesised name, which may itself contain anything.
#[cfg(target_os = "linux")]
fn parent(pid: i32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Bytes of memory of all processes that descend from this one, memory they share counted once.
#[cfg(target_os = "linux")]
pub(crate) fn memory(limit: u64) -> Option<u64> {
    use crate::limits::kilobytes;

    let descendants = descendants(std::process::id());
    let sum = |file: &str, name: &str| -> u64 {
        let of = |pid: &u32| {
            kilobytes(
                &std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?,
                name,
            )
        };
        descendants.iter().filter_map(of).sum::<u64>() * 1024
    };
    let resident = sum("status", "VmRSS:");
    // Processes share much; looking closer is dear, and needed only when it may matter.
    Some(if resident > limit && descendants.len() > 1 {
        sum("smaps_rollup", "Pss:")
    } else {
        resident
    })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn memory(_: u64) -> Option<u64> {
    None
}

#[cfg(target_os = "linux")]
fn descendants(own: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut unknown: Vec<(u32, u32)> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| Some((pid, parent(pid as i32)?)))
        .collect();
    let mut found = vec![own];
    let mut next = 0;
    while let Some(&ancestor) = found.get(next) {
        next += 1;
        unknown.retain(|&(pid, parent)| {
            if parent == ancestor {
                found.push(pid);
            }
            parent != ancestor
        });
    }
    found.remove(0);
    found
}
