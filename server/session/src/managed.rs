//! An environment of the tool's own, with what the imperative mechanism needs, for machines without Keras.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
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
/// In the cache folder; each set of packages has a folder of its own, so that none is changed that a run may be using.
const FOLDER: &str = "deeplocalize/environment";

/// The interpreter of the environment in the user's cache folder, which is made first if need be. `tell` is called with
/// what is about to happen. `variable` reads an environment variable.
pub fn managed_interpreter(
    variable: &dyn Fn(&str) -> Option<OsString>,
    tell: &mut dyn FnMut(&str),
) -> Result<Interpreter, SessionError> {
    let cache = cache_folder(variable)
        .ok_or_else(|| failed("find the cache folder", "neither XDG_CACHE_HOME nor HOME is set"))?;
    let wanted = PACKAGES.join("\n");
    let folder = folder_for(&cache, &wanted);
    let python = folder.join("bin/python");
    let finished = || {
        python.exists() && fs::read_to_string(folder.join(MARK)).is_ok_and(|installed| installed == wanted)
    };
    if !finished() {
        let lock = lock(&folder, tell)?;
        if !finished() {
            complete(&folder, &python, &wanted, variable, tell)?;
        }
        drop(lock);
    }
    Ok(Interpreter {
        path: python,
        source: Source::Folder(folder),
    })
}

/// Where the environment with these packages is.
fn folder_for(cache: &Path, packages: &str) -> PathBuf {
    // FNV-1a: the same in every version of the tool.
    let hash = packages.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    cache.join(format!("{FOLDER}-{hash:016x}"))
}

/// One process at a time makes the environment; others wait for it. Let go of when the file is dropped, or the process ends.
fn lock(folder: &Path, tell: &mut dyn FnMut(&str)) -> Result<File, SessionError> {
    let path = folder.with_extension("lock");
    let failed = || SessionError::io(format!("lock {}", path.display()));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed())?;
    }
    let file = File::create(&path).map_err(failed())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            tell("another run is making the Python environment; waiting for it");
            file.lock().map_err(failed())?;
        }
        Err(TryLockError::Error(error)) => return Err(failed()(error)),
    }
    Ok(file)
}

fn complete(
    folder: &Path,
    python: &Path,
    wanted: &str,
    variable: &dyn Fn(&str) -> Option<OsString>,
    tell: &mut dyn FnMut(&str),
) -> Result<(), SessionError> {
    // The active environment may be a broken or foreign one; the search path is asked alone.
    let on_path = |name: &str| if name == "PATH" { variable(name) } else { None };
    let base = find_interpreter(None, Path::new("/"), &on_path)?;
    tell(&format!(
        "making a Python environment in {} with {} (once)",
        folder.display(),
        PACKAGES.join(", ")
    ));
    if let Err(error) = make(&base.path, folder, python, tell) {
        // What is there is of no use to anybody.
        let _ = fs::remove_dir_all(folder);
        return Err(error);
    }
    fs::write(folder.join(MARK), wanted).map_err(SessionError::io("finish the environment"))
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
        let folder = folder_for(cache.path(), &PACKAGES.join("\n"));
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(folder.join("bin/python"), "").unwrap();
        fs::write(folder.join(MARK), PACKAGES.join("\n")).unwrap();
        let path = cache.path().as_os_str().to_owned();
        let variable = move |name: &str| (name == "XDG_CACHE_HOME").then(|| path.clone());
        let mut told = Vec::new();
        let found = managed_interpreter(&variable, &mut |text| told.push(text.to_owned())).unwrap();
        assert_eq!(found.path, folder.join("bin/python"));
        assert!(told.is_empty());
        // Broken off: it has to be made anew, for which there is no interpreter here.
        fs::write(folder.join(MARK), "keras==2.0").unwrap();
        let error = managed_interpreter(&variable, &mut |text| told.push(text.to_owned())).unwrap_err();
        assert!(matches!(error, SessionError::NoInterpreter), "{error}");
    }

    #[test]
    fn other_packages_have_another_folder() {
        let cache = Path::new("/cache");
        assert_ne!(folder_for(cache, "keras>=3.8"), folder_for(cache, "keras>=3.9"));
        // Known from elsewhere, as FNV-1a of "foobar"; another hash would make every environment anew.
        assert_eq!(
            folder_for(cache, "foobar"),
            Path::new("/cache/deeplocalize/environment-85944171f73967e8")
        );
    }

    #[test]
    fn a_second_run_waits_for_the_first_and_takes_what_it_made() {
        let cache = tempfile::tempdir().unwrap();
        let wanted = PACKAGES.join("\n");
        let folder = folder_for(cache.path(), &wanted);
        let held = lock(&folder, &mut |_| {}).unwrap();
        let path = cache.path().as_os_str().to_owned();
        let variable = move |name: &str| (name == "XDG_CACHE_HOME").then(|| path.clone());
        let mut held = Some(held);
        // The first run finishes when the second has said that it waits.
        let mut tell = |text: &str| {
            assert!(text.contains("another run"), "{text}");
            fs::create_dir_all(folder.join("bin")).unwrap();
            fs::write(folder.join("bin/python"), "").unwrap();
            fs::write(folder.join(MARK), &wanted).unwrap();
            held = None;
        };
        let found = managed_interpreter(&variable, &mut tell).unwrap();
        assert_eq!(found.path, folder.join("bin/python"));
        assert!(held.is_none());
    }
}
