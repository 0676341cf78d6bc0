//! What the script prints: into the log file, and the last of it into memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Longest log file; what comes after is dropped.
const LOG_BYTES: u64 = 16 << 20;
/// Longest remembered end of the error stream.
const TAIL_BYTES: usize = 64 << 10;

/// The log of a run, shared by the readers of its two streams.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    file: Option<File>,
    left: u64,
    tail: VecDeque<u8>,
}

impl Log {
    /// Creates or empties the log file.
    pub(crate) fn create(path: Option<&Path>) -> io::Result<Log> {
        let file = path.map(File::create).transpose()?;
        Ok(Log(Arc::new(Mutex::new(State {
            file,
            left: LOG_BYTES,
            tail: VecDeque::new(),
        }))))
    }

    /// Takes in a stream until it ends. Never stops reading, so that a full disk or log never blocks the script.
    pub(crate) fn drain(&self, mut stream: impl Read, remember: bool) {
        let mut buffer = [0_u8; 16 << 10];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => self.append(buffer.get(..count).unwrap_or_default(), remember),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn append(&self, bytes: &[u8], remember: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remember {
            state.tail.extend(bytes);
            let surplus = state.tail.len().saturating_sub(TAIL_BYTES);
            state.tail.drain(..surplus);
        }
        let State { file, left, .. } = &mut *state;
        let Some(open) = file else { return };
        let room = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
        let mut written = open.write_all(bytes.get(..room).unwrap_or_default());
        *left -= room as u64;
        if room < bytes.len() {
            written = written.and_then(|()| {
                writeln!(
                    open,
                    "\n[deeplocalize: the log is full at {} MiB; the rest is dropped]",
                    LOG_BYTES >> 20
                )
            });
            *file = None;
        }
        if let Err(error) = written {
            tracing::warn!("cannot write the log: {error}");
            *file = None;
        }
    }

    /// The end of the error stream.
    pub(crate) fn tail(&self) -> String {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = state.tail.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_capped_and_the_tail_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Log::create(Some(&path)).unwrap();
        log.drain(io::repeat(b'x').take(LOG_BYTES + 5), false);
        log.drain(&b"the end"[..], true);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("xxx") && text.contains("the log is full at 16 MiB"));
        assert!(text.len() < LOG_BYTES as usize + 100);
        assert_eq!(log.tail(), "the end");
    }
}
