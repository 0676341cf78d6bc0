//! The process between the tool and the script.
//!
//! Its standard input is one end of the channel. It hands that on to the script, and watches it: when the other end
//! is closed, the tool has stopped the run or is dead. Then, or when the script ends, every process that descends
//! from the script is killed.

use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

use crate::Status;
use crate::processes::{Happened, kill_all, reap};

/// Environment variable with the number of the channel's file descriptor.
pub(crate) const CHANNEL: &str = "_DEEPLOCALIZE_CHANNEL";
/// How long killed processes may take to go; those waiting for a dead disk cannot be hurried.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// The hidden subcommand [`SUPERVISE`](crate::SUPERVISE): arguments are a file that receives the script's status,
/// then the command to run. For [`Session`](crate::Session) only.
pub fn supervise(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let (Some(status_file), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("deeplocalize: {} is for internal use", crate::SUPERVISE);
        return ExitCode::from(2);
    };
    let mut command = Command::new(&program);
    command.args(arguments);
    match run(command) {
        Ok(status) => {
            let file = Path::new(&status_file);
            let (text, code) = match status {
                Status::Code(code) => (format!("exit {code}"), code),
                Status::Signal(signal) => (format!("signal {signal}"), 128 + signal),
                Status::Stopped => {
                    // A tool that was killed has left the tracer behind.
                    remove_tracer(file);
                    return ExitCode::SUCCESS;
                }
            };
            // Should this fail, the tool goes by the exit status.
            let _ = fs::write(file, text);
            ExitCode::from(code as u8)
        }
        Err(error) => {
            eprintln!(
                "deeplocalize: cannot run {}: {error}",
                Path::new(&program).display()
            );
            ExitCode::from(127)
        }
    }
}

/// Removes the folder of the tracer, which the status file is in.
fn remove_tracer(status_file: &Path) {
    let folder = status_file.parent().filter(|folder| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(crate::tracer::FOLDER_PREFIX)
    });
    if let Some(folder) = folder {
        // The tool may be removing it at the same time.
        let _ = fs::remove_dir_all(folder);
    }
}

/// Reads what [`supervise`] left in its status file.
pub(crate) fn read_status(file: &Path) -> Option<Status> {
    let text = fs::read_to_string(file).ok()?;
    match text.split_once(' ') {
        Some(("exit", code)) => Some(Status::Code(code.parse().ok()?)),
        Some(("signal", signal)) => Some(Status::Signal(signal.parse().ok()?)),
        _ => None,
    }
}

fn run(mut command: Command) -> std::io::Result<Status> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    let stdin = std::io::stdin();
    // No other thread runs yet, so nothing else can inherit this copy.
    let channel = nix::unistd::dup(stdin.as_fd())?;
    command
        .env(CHANNEL, channel.as_raw_fd().to_string())
        .stdin(Stdio::null())
        .process_group(0);
    end_with_parent(&mut command);
    let script = Pid::from_raw(command.spawn()?.id() as i32);
    drop(channel);

    let (sender, happened) = mpsc::channel();
    let (gone, reaped) = (sender.clone(), sender);
    std::thread::spawn(move || {
        wait_for_hangup();
        let _ = gone.send(Happened::ToolGone);
    });
    std::thread::spawn(move || {
        reap(script, &|what| drop(reaped.send(what)));
    });
    let status = match happened.recv() {
        Ok(Happened::ScriptEnded(status)) => status,
        _ => Status::Stopped,
    };
    if !kill_all(script, &happened, KILL_LIMIT) {
        eprintln!("deeplocalize: some processes of the script could not be ended");
    }
    Ok(status)
}

fn wait_for_hangup() {
    let stdin = std::io::stdin();
    loop {
        // No events asked for: what is left is the hang-up, which is always reported.
        let mut sources = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
        match poll(&mut sources, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(_) => return,
        }
        let events = sources
            .first()
            .and_then(PollFd::revents)
            .unwrap_or(PollFlags::empty());
        if events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL) {
            return;
        }
    }
}

/// Should this process be killed, the kernel kills the script.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn end_with_parent(command: &mut Command) {
    use nix::sys::signal::Signal;

    let supervisor = nix::unistd::getpid();
    // SAFETY: between fork and exec only async-signal-safe functions may run: `prctl` and `getppid` are plain system
    // calls, and an `Errno` becomes an `io::Error` without allocating.
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
            // Killed before the call above took effect.
            if nix::unistd::getppid() != supervisor {
                return Err(nix::errno::Errno::ESRCH.into());
            }
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_parent(_: &mut Command) {}
