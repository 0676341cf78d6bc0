//! An environment of the tool's own, with what the imperative mechanism needs, for machines without Keras.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Interpreter, SessionError, Source, find_interpreter};

/// What scripts import most; Keras comes without a framework, because the engine needs none.
const PACKAGES: [&str; 7] = [
    "keras>=3.8",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "matplotlib",
    "pillow",
];
/// The file that marks a finished environment; holds what was installed.
const MARK: &str = "deeplocalize-packages.txt";
const FOLDER: &str = "deeplocalize/environment";

/// The interpreter of the environment in the user's cache folder, which is made first if need be. `tell` is called with
/// what is about to happen. `variable` reads an environment variable.
pub fn managed_interpreter(
    variable: &dyn Fn(&str) -> Option<OsString>,
    tell: &mut dyn FnMut(&str),
) -> Result<Interpreter, SessionError> {
    let folder = cache_folder(variable)
        .ok_or_else(|| failed("find the cache folder", "neither XDG_CACHE_HOME nor HOME is set"))?
        .join(FOLDER);
    let python = folder.join("bin/python");
    let wanted = PACKAGES.join("\n");
    let finished = fs::read_to_string(folder.join(MARK)).is_ok_and(|installed| installed == wanted);
    if !finished || !python.exists() {
        // The active environment may be a broken or foreign one; the search path is asked alone.
        let on_path = |name: &str| if name == "PATH" { variable(name) } else { None };
        let base = find_interpreter(None, Path::new("/"), &on_path)?;
        tell(&format!(
            "making a Python environment in {} with {} (once)",
            folder.display(),
            PACKAGES.join(", ")
        ));
        if let Err(error) = make(&base.path, &folder, &python, tell) {
            // What is there is of no use to anybody.
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
        fs::write(folder.join(MARK), wanted).map_err(SessionError::io("finish the environment"))?;
    }
    Ok(Interpreter {
        path: python,
        source: Source::Folder(folder),
    })
}

fn make(base: &Path, folder: &Path, python: &Path, tell: &mut dyn FnMut(&str)) -> Result<(), SessionError> {
    fs::create_dir_all(folder).map_err(SessionError::io(format!("create {}", folder.display())))?;
    let step = |doing: &str, command: &mut Command| {
        let output = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()
            .map_err(SessionError::io(doing.to_owned()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed(doing, &reason(&String::from_utf8_lossy(&output.stderr))))
    };
    step(
        "make the Python environment (is python3-venv installed?)",
        Command::new(base).args(["-m", "venv", "--clear"]).arg(folder),
    )?;
    tell("downloading and installing the packages; that may take some minutes");
    step(
        "install Keras into the environment",
        Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--no-input", "--retries", "2", "--timeout", "15"])
            .args(PACKAGES),
    )?;
    tell("the environment is ready");
    Ok(())
}

/// What pip says when it does not get through.
const UNREACHABLE: [&str; 6] = [
    "NewConnectionError",
    "NameResolutionError",
    "ProxyError",
    "SSLError",
    "ReadTimeoutError",
    "ConnectTimeoutError",
];

/// Why a program failed, of what it wrote to standard error.
fn reason(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    // Of several errors the first is the cause.
    let error = lines().find(|line| line.starts_with("ERROR:") || line.starts_with("Error:"));
    let said = error
        .or_else(|| lines().next_back())
        .unwrap_or("no reason was given");
    if UNREACHABLE.iter().any(|sign| text.contains(sign)) {
        return format!(
            "the package index cannot be reached ({said}); check the network, or name another index in PIP_INDEX_URL"
        );
    }
    said.to_owned()
}

fn failed(doing: &str, reason: &str) -> SessionError {
    SessionError::Io {
        doing: doing.to_owned(),
        source: std::io::Error::other(reason.to_owned()),
    }
}

fn cache_folder(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let given = |name| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    given("XDG_CACHE_HOME").or_else(|| {
        let home = given("HOME")?;
        Some(home.join(if cfg!(target_os = "macos") {
            "Library/Caches"
        } else {
            ".cache"
        }))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_failed_installation_gives_its_cause() {
        let warning = "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError('<pip>: \
                       Failed to establish a new connection: [Errno 111] Connection refused')': /simple/keras/\n";
        let missing =
            "ERROR: Could not find a version that satisfies the requirement keras>=3.8 (from versions: none)";
        let last = "\nERROR: No matching distribution found for keras>=3.8\n";
        let offline = reason(&format!("{warning}{missing}{last}"));
        assert!(
            offline.starts_with("the package index cannot be reached (ERROR: Could not find"),
            "{offline}"
        );
        assert_eq!(reason(&format!("{missing}{last}")), missing);
        assert_eq!(
            reason("OSError: [Errno 28] No space left on device\n\n"),
            "OSError: [Errno 28] No space left on device"
        );
        assert_eq!(reason(""), "no reason was given");
    }

    #[test]
    fn a_finished_environment_is_used_as_it_is_and_a_missing_python_is_said() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join(FOLDER);
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(folder.join("bin/python"), "").unwrap();
        fs::write(folder.join(MARK), PACKAGES.join("\n")).unwrap();
        let path = cache.path().as_os_str().to_owned();
        let variable = move |name: &str| (name == "XDG_CACHE_HOME").then(|| path.clone());
        let mut told = Vec::new();
        let found = managed_interpreter(&variable, &mut |text| told.push(text.to_owned())).unwrap();
        assert_eq!(found.path, folder.join("bin/python"));
        assert!(told.is_empty());
        // Made for other packages: it has to be made anew, for which there is no interpreter here.
        fs::write(folder.join(MARK), "keras==2.0").unwrap();
        let error = managed_interpreter(&variable, &mut |text| told.push(text.to_owned())).unwrap_err();
        assert!(matches!(error, SessionError::NoInterpreter), "{error}");
    }
}
