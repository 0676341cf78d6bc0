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
/// Longest line that is kept together in the log.
const LINE_BYTES: usize = 64 << 10;

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
    /// Whole lines reach the file, because Python writes a line in pieces, between which the other stream may write.
    pub(crate) fn drain(&self, mut stream: impl Read, remember: bool) {
        let mut buffer = [0_u8; 16 << 10];
        let mut line = Vec::new();
        loop {
            let bytes = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => buffer.get(..count).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            if remember {
                self.remember(bytes);
            }
            line.extend_from_slice(bytes);
            let whole = match line.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')) {
                Some(end) => end + 1,
                None if line.len() > LINE_BYTES => line.len(),
                None => continue,
            };
            self.append(line.get(..whole).unwrap_or_default());
            line.drain(..whole);
        }
        self.append(&line);
    }

    fn remember(&self, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.tail.extend(bytes);
        let surplus = state.tail.len().saturating_sub(TAIL_BYTES);
        state.tail.drain(..surplus);
    }

    fn append(&self, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Gives one piece per read, and lets something happen before the second.
    struct Pieces<'a, F: FnMut()>(VecDeque<&'a [u8]>, F);

    impl<F: FnMut()> Read for Pieces<'_, F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.pop_front() else {
                return Ok(0);
            };
            if self.0.len() == 1 {
                (self.1)();
            }
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn a_line_written_in_pieces_stays_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = Log::create(Some(&path)).unwrap();
        let other = log.clone();
        let pieces = VecDeque::from([&b"loss"[..], &b" 0.5"[..], &b"\nlast"[..]]);
        log.drain(Pieces(pieces, || other.drain(&b"a warning\n"[..], true)), false);
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "a warning\nloss 0.5\nlast"
        );
        assert_eq!(log.tail(), "a warning\n");
    }

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
