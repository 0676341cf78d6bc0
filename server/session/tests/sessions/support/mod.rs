//! Running small scripts in a session, and looking for processes that should be gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use session::{Cadence, Event, Limits, Request, Session, Status, Writes};
use tempfile::TempDir;
use trace::{Frame, Message};

/// Everything about a script that has ended by itself.
pub struct Run {
    pub script: PathBuf,
    pub status: Status,
    pub messages: Vec<Message>,
    pub log: String,
    pub stderr: String,
}

/// The example `dump`, which cargo builds before the tests; it doubles as the supervisor.
pub fn dump() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/dump")
}

/// A plain `python3`.
pub fn python() -> PathBuf {
    let found = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())
}

/// Starts a script of this text.
pub fn session(text: &str, arguments: &[&str]) -> (Session, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("train.py");
    std::fs::write(&script, text).unwrap();
    let session = Session::start(&request(folder.path(), arguments)).unwrap();
    (session, folder)
}

/// How the script `train.py` of a folder is run.
pub fn request(folder: &Path, arguments: &[&str]) -> Request {
    Request {
        script: folder.join("train.py"),
        arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
        python: python(),
        directory: None,
        log: Some(folder.join("log")),
        cadence: Cadence::default(),
        overrides: BTreeMap::new(),
        environment: Vec::new(),
        // Tests look at files that scripts write while they run.
        writes: Writes::Real,
        limits: Limits::default(),
        supervisor: dump(),
    }
}

/// All events up to the last.
pub fn events(session: &mut Session) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = session
            .next_event(Duration::from_secs(60))
            .expect("an event within a minute");
        let last = matches!(event, Event::Exited { .. });
        events.push(event);
        if last {
            return events;
        }
    }
}

/// Runs a script of this text to its end.
pub fn run(text: &str, arguments: &[&str]) -> Run {
    let (mut session, folder) = session(text, arguments);
    to_end(&mut session, folder.path())
}

/// Follows a session to its end.
pub fn to_end(session: &mut Session, folder: &Path) -> Run {
    let mut messages = Vec::new();
    let mut ended = None;
    for event in events(session) {
        match event {
            Event::Frame(Frame::Message(message)) => messages.push(message),
            Event::Exited { status } => ended = Some(status),
            other => panic!("unexpected {other:?}"),
        }
    }
    Run {
        script: folder.join("train.py"),
        status: ended.unwrap(),
        messages,
        log: String::from_utf8_lossy(&std::fs::read(folder.join("log")).unwrap()).into_owned(),
        stderr: session.stderr_tail(),
    }
}

/// A text that no other process has in its command line.
pub fn tagged(name: &str) -> String {
    format!("deeplocalize-test-{name}-{}", std::process::id())
}

/// `pid command line` of the processes with this text in their command line.
pub fn alive(tag: &str) -> Vec<String> {
    let listed = Command::new("ps")
        .args(["-eww", "-o", "pid=,stat=,args="])
        .output()
        .unwrap();
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| {
            line.contains(tag)
                && line
                    .split_whitespace()
                    .nth(1)
                    .is_some_and(|stat| !stat.starts_with('Z'))
        })
        .collect()
}

/// Waits until no process has this text in its command line.
pub fn wait_until_gone(tag: &str) {
    let begun = Instant::now();
    while !alive(tag).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "still there: {:?}",
            alive(tag)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a script has written this file.
pub fn wait_for_file(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{} was not written",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
