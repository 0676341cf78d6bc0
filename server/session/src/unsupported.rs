//! Platforms without supervision.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::{Event, Request, SessionError, Written};

/// A running script; cannot be had on this platform yet.
#[derive(Debug)]
pub struct Session(std::convert::Infallible);

impl Session {
    /// Always [`SessionError::Unsupported`].
    pub fn start(_: &Request) -> Result<Session, SessionError> {
        Err(SessionError::Unsupported)
    }

    /// Cannot be called.
    pub fn next_event(&self, _: Duration) -> Option<Event> {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn stop(&mut self) {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn written(&self) -> Option<Written> {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn keep_written(&self, _: &Path) -> Result<Option<PathBuf>, SessionError> {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn commit_written(&self) -> Result<(), SessionError> {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn commit_downloads(&self) -> Result<(), SessionError> {
        match self.0 {}
    }

    /// Cannot be called.
    pub fn stderr_tail(&self) -> String {
        match self.0 {}
    }
}

/// Always fails.
pub fn supervise(_: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::FAILURE
}
