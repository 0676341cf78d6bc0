//! Which Python runs the script.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::SessionError;

/// Where an interpreter came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The user named it.
    Explicit,
    /// An environment variable (`VIRTUAL_ENV`, `CONDA_PREFIX`) names its environment.
    Variable(&'static str),
    /// The virtual environment in this folder, found upwards from the script.
    Folder(PathBuf),
    /// The search path.
    Path,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Explicit => formatter.write_str("as given"),
            Source::Variable(name) => write!(formatter, "from {name}"),
            Source::Folder(folder) => write!(formatter, "from {}", folder.display()),
            Source::Path => formatter.write_str("from PATH"),
        }
    }
}

/// A Python interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Its executable. Symbolic links are kept: Python finds its virtual environment by this path.
    pub path: PathBuf,
    /// Where it came from.
    pub source: Source,
}

/// Finds the interpreter for `script`: the `explicit` one (an executable or the folder of an environment), else that
/// of the active environment, else that of a `.venv` or `venv` folder upwards from the script, else the one on PATH.
/// `variable` reads an environment variable.
pub fn find_interpreter(
    explicit: Option<&Path>,
    script: &Path,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Interpreter, SessionError> {
    let search_path = variable("PATH").unwrap_or_default();
    if let Some(path) = explicit {
        return explicit_interpreter(path, &search_path);
    }
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        let folder = variable(name).filter(|value| !value.is_empty());
        if let Some(path) = folder.and_then(|folder| in_environment(Path::new(&folder))) {
            return Ok(Interpreter {
                path,
                source: Source::Variable(name),
            });
        }
    }
    let script = std::path::absolute(script).unwrap_or_else(|_| script.to_owned());
    for folder in script.ancestors().skip(1) {
        for name in [".venv", "venv"] {
            let environment = folder.join(name);
            if let Some(path) = in_environment(&environment) {
                return Ok(Interpreter {
                    path,
                    source: Source::Folder(environment),
                });
            }
        }
    }
    ["python3", "python"]
        .iter()
        .find_map(|name| on_path(name, &search_path))
        .map(|path| Interpreter {
            path,
            source: Source::Path,
        })
        .ok_or(SessionError::NoInterpreter)
}

fn explicit_interpreter(path: &Path, search_path: &OsString) -> Result<Interpreter, SessionError> {
    let refuse = |reason| SessionError::BadInterpreter {
        path: path.to_owned(),
        reason,
    };
    // A bare name such as `python3.11` means what it means in a shell.
    let bare = path.components().count() == 1 && !path.exists();
    let found = if bare {
        on_path(&path.to_string_lossy(), search_path)
            .ok_or_else(|| refuse("there is no such file or command"))?
    } else if path.is_dir() {
        in_environment(path).ok_or_else(|| refuse("it is a folder without bin/python"))?
    } else if !path.exists() {
        return Err(refuse("there is no such file"));
    } else if !is_executable(path) {
        return Err(refuse("it is not executable"));
    } else {
        path.to_owned()
    };
    Ok(Interpreter {
        path: std::path::absolute(&found).unwrap_or(found),
        source: Source::Explicit,
    })
}

fn in_environment(folder: &Path) -> Option<PathBuf> {
    ["bin/python", "bin/python3", "Scripts/python.exe", "python.exe"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| is_executable(path))
}

fn on_path(name: &str, search_path: &OsString) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    path.is_file() && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
