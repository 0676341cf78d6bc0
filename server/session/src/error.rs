use std::io;
use std::path::PathBuf;

/// Why a session could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No interpreter was found anywhere.
    #[error(
        "no Python interpreter was found: neither VIRTUAL_ENV nor CONDA_PREFIX is set, there is no .venv or venv \
         folder next to the script or above it, and neither python3 nor python is on PATH"
    )]
    NoInterpreter,
    /// The interpreter the user asked for cannot be used.
    #[error("{path} cannot be used as the Python interpreter: {reason}")]
    BadInterpreter {
        /// The path, as given.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no such script.
    #[error("cannot read the script {path}: {source}")]
    Script {
        /// The path, as given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something the run needs could not be set up.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system says.
        source: io::Error,
    },
    /// The platform has no supervision yet.
    #[error(
        "running scripts is not supported on this platform yet; the quick check (`deeplocalize check`) is"
    )]
    Unsupported,
}

impl SessionError {
    /// Stable code for reports.
    pub fn code(&self) -> &'static str {
        match self {
            SessionError::NoInterpreter | SessionError::BadInterpreter { .. } => "no-interpreter",
            SessionError::Script { .. } => "no-such-file",
            SessionError::Io { .. } => "session",
            SessionError::Unsupported => "unsupported-platform",
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            SessionError::NoInterpreter => {
                Some("pass --python PATH, or create a virtual environment with Keras next to the script")
            }
            SessionError::BadInterpreter { .. } => Some(
                "--python takes an executable such as .venv/bin/python, or the folder of a virtual environment",
            ),
            _ => None,
        }
    }

    /// For `map_err`: what was being done when the system refused.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> SessionError {
        let doing = doing.into();
        move |source| SessionError::Io { doing, source }
    }
}
