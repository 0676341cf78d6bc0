//! The process between the tool and the script.
//!
//! Its standard input is one end of the channel. It hands that on to the script, and watches it: when the other end
//! is closed, the tool has stopped the run or is dead. Then, or when the script ends, every process that descends
//! from the script is killed.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

use serde::{Deserialize, Serialize};

use crate::aside::{self, Aside, FILES};
use crate::processes::{Happened, kill_all, memory, reap};
use crate::tracer::{STATUS, real_path};
use crate::{Excess, Limits, Request, SessionError, Status, Writes};

/// Environment variable with the number of the channel's file descriptor.
pub(crate) const CHANNEL: &str = "_DEEPLOCALIZE_CHANNEL";
/// How long killed processes may take to go; those waiting for a dead disk cannot be hurried.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// First argument of the process that is about to become the script.
const ENTER: &str = "enter";
/// Name of the file with the [`Plan`].
const PLAN: &str = "plan.json";
/// Name of the file that says why there is no overlay.
pub(crate) const APART: &str = "apart";
/// Time between two looks at what the script takes.
const LOOK: Duration = Duration::from_millis(200);

/// What the supervisor has to know of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Process id of the tool.
    tool: u32,
    writes: Writes,
    scratches: Vec<PathBuf>,
    /// Folders whose files must be kept apart.
    essential: Vec<PathBuf>,
    limits: Limits,
}

impl Plan {
    pub(crate) fn new(request: &Request, aside: Option<&Aside>) -> Result<Plan, SessionError> {
        let directory = match &request.directory {
            Some(directory) => directory.clone(),
            None => std::env::current_dir().map_err(SessionError::io("read the working directory"))?,
        };
        let given = request.environment.iter().find(|(name, _)| name == "HOME");
        let home = given.map_or_else(|| std::env::var_os("HOME"), |(_, home)| Some(home.clone()));
        let home = home.map(|home| real_path(Path::new(&home)));
        let script = real_path(&request.script);
        Ok(Plan {
            tool: std::process::id(),
            writes: request.writes,
            scratches: aside.map(Aside::folders).unwrap_or_default(),
            essential: [
                Some(real_path(&directory)),
                script.parent().map(Path::to_owned),
                home,
            ]
            .into_iter()
            .flatten()
            .filter(|folder| folder.is_dir())
            .collect(),
            limits: request.limits,
        })
    }

    pub(crate) fn write(&self, folder: &Path) -> std::io::Result<()> {
        fs::write(folder.join(PLAN), serde_json::to_vec(self)?)
    }

    fn read(folder: &Path) -> std::io::Result<Plan> {
        Ok(serde_json::from_slice(&fs::read(folder.join(PLAN))?)?)
    }
}

/// The hidden subcommand [`SUPERVISE`](crate::SUPERVISE): arguments are the folder of the tracer, then the command to
/// run. For [`Session`](crate::Session) only.
pub fn supervise(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter().peekable();
    let entering = arguments.next_if(|first| first == ENTER).is_some();
    let (Some(folder), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("deeplocalize: {} is for internal use", crate::SUPERVISE);
        return ExitCode::from(2);
    };
    let folder = Path::new(&folder);
    let mut command = Command::new(&program);
    command.args(arguments);
    let failed = |error: std::io::Error| {
        eprintln!(
            "deeplocalize: cannot run {}: {error}",
            Path::new(&program).display()
        );
        ExitCode::from(127)
    };
    let plan = match Plan::read(folder) {
        Ok(plan) => plan,
        Err(error) => return failed(error),
    };
    if entering {
        return failed(enter(folder, &plan, command));
    }
    match run(folder, &plan, &command) {
        Ok(status) => {
            let (text, code) = match status {
                Status::Code(code) => (format!("exit {code}"), code),
                Status::Signal(signal) => (format!("signal {signal}"), 128 + signal),
                Status::Excess(Excess::Memory(bytes)) => (format!("memory {bytes}"), 1),
                Status::Excess(Excess::Written(bytes)) => (format!("written {bytes}"), 1),
                Status::Stopped => {
                    // A tool that was killed has left everything behind; one that lives wants to look at it.
                    if nix::unistd::getppid().as_raw() as u32 != plan.tool {
                        remove_folders(folder, &plan);
                    }
                    return ExitCode::SUCCESS;
                }
            };
            // Should this fail, the tool goes by the exit status.
            let _ = fs::write(folder.join(STATUS), text);
            ExitCode::from(code as u8)
        }
        Err(error) => failed(error),
    }
}

/// Removes the folder of the tracer and the scratch folders.
fn remove_folders(folder: &Path, plan: &Plan) {
    let ours = |folder: &&Path| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(crate::tracer::FOLDER_PREFIX)
    };
    let scratches = plan.scratches.iter().map(PathBuf::as_path);
    scratches.chain([folder]).filter(ours).for_each(aside::remove);
}

/// Reads what [`supervise`] left in its status file.
pub(crate) fn read_status(file: &Path) -> Option<Status> {
    let text = fs::read_to_string(file).ok()?;
    match text.split_once(' ') {
        Some(("exit", code)) => Some(Status::Code(code.parse().ok()?)),
        Some(("signal", signal)) => Some(Status::Signal(signal.parse().ok()?)),
        Some(("memory", bytes)) => Some(Status::Excess(Excess::Memory(bytes.parse().ok()?))),
        Some(("written", bytes)) => Some(Status::Excess(Excess::Written(bytes.parse().ok()?))),
        _ => None,
    }
}

/// Becomes the script, with what it writes kept apart. Comes back only when that fails.
fn enter(folder: &Path, plan: &Plan, mut script: Command) -> std::io::Error {
    // Opened now, because what is written later is kept apart as well.
    let apart = fs::File::create(folder.join(APART));
    let (files, refused) = aside::enter(&plan.scratches, plan.writes, &plan.essential);
    if let (Ok(mut file), Some(reason)) = (apart, refused) {
        let _ = file.write_all(reason.as_bytes());
    }
    if let Some(files) = files {
        script.env(FILES, files);
    }
    // Entering a namespace with users of its own makes the kernel forget it.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL);
    script.exec()
}

fn run(folder: &Path, plan: &Plan, script: &Command) -> std::io::Result<Status> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    let stdin = std::io::stdin();
    // No other thread runs yet, so nothing else can inherit this copy.
    let channel = nix::unistd::dup(stdin.as_fd())?;
    // A process of its own, because the namespace it enters is not for this one.
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args([
            OsStr::new(crate::SUPERVISE),
            OsStr::new(ENTER),
            folder.as_os_str(),
            script.get_program(),
        ])
        .args(script.get_args())
        .env(CHANNEL, channel.as_raw_fd().to_string())
        .stdin(Stdio::null())
        .process_group(0);
    end_with_parent(&mut command);
    let script = Pid::from_raw(command.spawn()?.id() as i32);
    drop(channel);

    let (sender, happened) = mpsc::channel();
    let (gone, reaped, excess) = (sender.clone(), sender.clone(), sender);
    let (limits, scratches) = (plan.limits, plan.scratches.clone());
    std::thread::spawn(move || {
        if let Some(found) = watch(limits, &scratches) {
            let _ = excess.send(Happened::Excess(found));
        }
    });
    std::thread::spawn(move || {
        wait_for_hangup();
        let _ = gone.send(Happened::ToolGone);
    });
    std::thread::spawn(move || {
        reap(script, &|what| drop(reaped.send(what)));
    });
    let status = match happened.recv() {
        Ok(Happened::ScriptEnded(status)) => status,
        Ok(Happened::Excess(excess)) => Status::Excess(excess),
        _ => Status::Stopped,
    };
    if !kill_all(script, &happened, KILL_LIMIT) {
        eprintln!("deeplocalize: some processes of the script could not be ended");
    }
    Ok(status)
}

/// Waits until the script takes more than it may.
fn watch(limits: Limits, scratches: &[PathBuf]) -> Option<Excess> {
    loop {
        std::thread::sleep(LOOK);
        if let Some(limit) = limits.memory {
            let bytes = memory(limit)?;
            if bytes > limit {
                return Some(Excess::Memory(bytes));
            }
        }
        let bytes = aside::size(scratches);
        if bytes > limits.written {
            return Some(Excess::Written(bytes));
        }
    }
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
