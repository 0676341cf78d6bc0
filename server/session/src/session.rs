//! A running script, seen from the tool.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use trace::FrameReader;

use crate::aside::Aside;
use crate::log::Log;
use crate::supervisor::{APART, Plan, read_status};
use crate::tracer::{Tracer, real_path};
use crate::written::{Writes, Written};
use crate::{ENGINE, Event, Request, SUPERVISE, SessionError, Status};

/// Environment variable with the tracer's settings.
const CONFIG: &str = "_DEEPLOCALIZE_CONFIG";
/// Frames held for a tool that is busy; then the script waits for it.
const QUEUE: usize = 1024;
/// How long the supervisor may take to end everything; longer than its own limit.
const STOP_LIMIT: Duration = Duration::from_secs(12);
/// How long the readers of the script's output may take to see its end.
const LOG_LIMIT: Duration = Duration::from_secs(1);

/// A running script. Dropping it ends the script and everything the script has started.
#[derive(Debug)]
pub struct Session {
    supervisor: Child,
    channel: UnixStream,
    events: Option<Receiver<Event>>,
    log: Log,
    log_readers: Vec<JoinHandle<()>>,
    aside: Option<Aside>,
    tracer: Tracer,
    status: Option<Status>,
    reported: bool,
}

impl Session {
    /// Starts the script. Returns as soon as the supervisor runs; what follows comes as events.
    pub fn start(request: &Request) -> Result<Session, SessionError> {
        Session::start_with(request, &serde_json::Map::new())
    }

    /// The same with more settings for the tracer.
    pub(crate) fn start_with(
        request: &Request,
        settings: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Session, SessionError> {
        check_script(request)?;
        let tracer = Tracer::write()?;
        let overrides = tracer.write_overrides(&request.overrides)?;
        let aside = match request.writes {
            Writes::Real => None,
            Writes::Apart | Writes::ApartInPython => Some(
                Aside::create(tracer.folder())
                    .map_err(SessionError::io("make a folder for what the script writes"))?,
            ),
        };
        Plan::new(request, aside.as_ref())?
            .write(tracer.folder())
            .map_err(SessionError::io(
                "write the plan of the run into a temporary folder",
            ))?;
        let log = Log::create(request.log.as_deref()).map_err(SessionError::io("create the log file"))?;
        let (channel, far_end) = UnixStream::pair().map_err(SessionError::io("open the trace channel"))?;
        let reading = channel
            .try_clone()
            .map_err(SessionError::io("open the trace channel"))?;
        let mut supervisor = command(request, &tracer, &overrides, settings)?
            .stdin(Stdio::from(OwnedFd::from(far_end)))
            .spawn()
            .map_err(SessionError::io(format!(
                "start the supervisor {}",
                request.supervisor.display()
            )))?;
        let mut log_readers = Vec::new();
        if let Some(stream) = supervisor.stdout.take() {
            let log = log.clone();
            log_readers.push(std::thread::spawn(move || log.drain(stream, false)));
        }
        if let Some(stream) = supervisor.stderr.take() {
            let log = log.clone();
            log_readers.push(std::thread::spawn(move || log.drain(stream, true)));
        }
        let (sender, events) = sync_channel(QUEUE);
        std::thread::spawn(move || read_frames(reading, &sender));
        Ok(Session {
            supervisor,
            channel,
            events: Some(events),
            log,
            log_readers,
            aside,
            tracer,
            status: None,
            reported: false,
        })
    }

    /// The next event; `None` when none came in time, and after [`Event::Exited`].
    pub fn next_event(&mut self, timeout: Duration) -> Option<Event> {
        if let Some(events) = &self.events {
            match events.recv_timeout(timeout) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Timeout) => return None,
                // The channel ends when the supervisor does.
                Err(RecvTimeoutError::Disconnected) => self.finish(false),
            }
        }
        match self.status {
            Some(status) if !self.reported => {
                self.reported = true;
                Some(Event::Exited { status })
            }
            _ => None,
        }
    }

    /// Ends the script and everything it has started, and waits until all of it is gone. Events that were not read
    /// are dropped, save for the last one.
    pub fn stop(&mut self) {
        if self.status.is_none() {
            let _ = self.channel.shutdown(Shutdown::Both);
            self.finish(true);
        }
    }

    /// Sends a line to a tracer that serves.
    pub(crate) fn send_line(&mut self, line: &str) -> io::Result<()> {
        self.channel.write_all(line.as_bytes())?;
        self.channel.write_all(b"\n")
    }

    /// Whether the script, or what it has started, may still run.
    pub(crate) const fn alive(&self) -> bool {
        self.status.is_none()
    }

    /// The end of what the script wrote to its error stream.
    pub fn stderr_tail(&self) -> String {
        self.log.tail()
    }

    /// What the script has written; `None` when that was not kept apart. For a session that is over.
    pub fn written(&self) -> Option<Written> {
        let mut written = self.aside.as_ref()?.written();
        let reason = std::fs::read_to_string(self.tracer.folder().join(APART)).unwrap_or_default();
        written.without_overlay = Some(reason).filter(|reason| !reason.is_empty());
        Some(written)
    }

    /// Moves what the script has written to a folder, in place of that of the last run of this script.
    pub fn keep_written(&self, script: &Path) -> Result<Option<PathBuf>, SessionError> {
        let keep = |aside: &Aside| aside.keep(script);
        let kept = self.aside.as_ref().map(keep).transpose();
        kept.map_err(SessionError::io("keep what the script has written"))
    }

    /// Writes over the user's own files what the script has written.
    pub fn commit_written(&self) -> Result<(), SessionError> {
        let committed = self.aside.as_ref().map_or(Ok(()), Aside::commit);
        committed.map_err(SessionError::io("write what the script has written"))
    }

    /// Writes new files in the folders for caches, which are downloads that would be fetched again.
    pub fn commit_downloads(&self) -> Result<(), SessionError> {
        let committed = self.aside.as_ref().map_or(Ok(()), Aside::commit_downloads);
        committed.map_err(SessionError::io("keep what the script has downloaded"))
    }

    fn finish(&mut self, stopped: bool) {
        // Lets go of a reader that waits for room in the queue.
        self.events = None;
        let exit = wait(&mut self.supervisor, STOP_LIMIT);
        if exit.is_none() {
            tracing::warn!("the supervisor does not end; killing its process group");
            let _ = killpg(Pid::from_raw(self.supervisor.id() as i32), Signal::SIGKILL);
            let _ = self.supervisor.wait();
        }
        let deadline = Instant::now() + LOG_LIMIT;
        for reader in self.log_readers.drain(..) {
            while !reader.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        self.status = Some(match exit {
            _ if stopped => Status::Stopped,
            Some(exit) => read_status(&self.tracer.status())
                .or(exit.signal().map(Status::Signal))
                .unwrap_or(Status::Code(exit.code().unwrap_or(1))),
            None => Status::Signal(Signal::SIGKILL as i32),
        });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether there is a script to run.
fn check_script(request: &Request) -> Result<(), SessionError> {
    if request
        .overrides
        .keys()
        .any(|path| real_path(path) == real_path(&request.script))
    {
        return Ok(());
    }
    File::open(&request.script)
        .and_then(|file| file.metadata())
        .and_then(|data| match data.is_file() {
            true => Ok(()),
            false => Err(io::ErrorKind::IsADirectory.into()),
        })
        .map_err(|source| SessionError::Script {
            path: request.script.clone(),
            source,
        })
}

fn command(
    request: &Request,
    tracer: &Tracer,
    overrides: &BTreeMap<PathBuf, PathBuf>,
    settings: &serde_json::Map<String, serde_json::Value>,
) -> Result<Command, SessionError> {
    let mut config = serde_json::json!({
        "overrides": overrides,
        "dense_steps": request.cadence.dense_steps,
        "every": request.cadence.every.max(1),
        "mechanism": request.mechanism,
        "engine": [request.supervisor.as_path(), std::path::Path::new(ENGINE)],
    });
    if let Some(config) = config.as_object_mut() {
        config.extend(settings.clone());
    }
    let mut command = Command::new(&request.supervisor);
    command
        .arg(SUPERVISE)
        .arg(tracer.folder())
        .arg(&request.python)
        .arg(tracer.program());
    match &request.directory {
        Some(directory) => {
            let script = std::path::absolute(&request.script)
                .map_err(SessionError::io("read the working directory"))?;
            command.arg(script).current_dir(directory);
        }
        // As given, because the script may look at its own name.
        None => _ = command.arg(&request.script),
    }
    command
        .args(&request.arguments)
        .envs(request.environment.iter().map(|(name, value)| (name, value)))
        .env(CONFIG, config.to_string())
        // No window can open, whatever the script plots with.
        .env("MPLBACKEND", "Agg")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    Ok(command)
}

fn read_frames(channel: UnixStream, events: &SyncSender<Event>) {
    let mut reader = FrameReader::new(io::BufReader::with_capacity(64 << 10, &channel));
    loop {
        let event = match reader.read() {
            Ok(Some(frame)) => Event::Frame(frame),
            Ok(None) => return,
            Err(error) => {
                if events.send(Event::TraceError(error)).is_ok() {
                    // The script must not wait for a reader that has given up.
                    let _ = io::copy(&mut &channel, &mut io::sink());
                }
                return;
            }
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// Like `Child::wait`, with a limit.
fn wait(child: &mut Child, limit: Duration) -> Option<std::process::ExitStatus> {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_micros(200);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(pause),
            _ => return None,
        }
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}
