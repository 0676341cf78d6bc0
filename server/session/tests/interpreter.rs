//! Which interpreter is found.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use session::{Interpreter, SessionError, Source, find_interpreter};

struct World {
    folder: tempfile::TempDir,
    variables: HashMap<&'static str, OsString>,
}

impl World {
    fn new() -> World {
        World {
            folder: tempfile::tempdir().unwrap(),
            variables: HashMap::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn executable(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn find(&self, explicit: Option<&Path>) -> Result<Interpreter, SessionError> {
        let script = self.path("project/src/train.py");
        find_interpreter(explicit, &script, &|name| self.variables.get(name).cloned())
    }
}

fn found(path: PathBuf, source: Source) -> Interpreter {
    Interpreter { path, source }
}

#[test]
fn the_nearest_source_wins() {
    let mut world = World::new();
    assert!(matches!(world.find(None), Err(SessionError::NoInterpreter)));

    world.variables.insert("PATH", world.path("bin").into());
    let python = world.executable("bin/python");
    assert_eq!(world.find(None).unwrap(), found(python, Source::Path));
    let python3 = world.executable("bin/python3");
    assert_eq!(world.find(None).unwrap(), found(python3, Source::Path));

    let upwards = world.executable("project/venv/bin/python");
    assert_eq!(
        world.find(None).unwrap(),
        found(upwards, Source::Folder(world.path("project/venv")))
    );
    let nearer = world.executable("project/src/.venv/bin/python");
    let source = Source::Folder(world.path("project/src/.venv"));
    assert_eq!(world.find(None).unwrap(), found(nearer, source));

    let conda = world.executable("conda/bin/python");
    world.variables.insert("CONDA_PREFIX", world.path("conda").into());
    assert_eq!(
        world.find(None).unwrap(),
        found(conda, Source::Variable("CONDA_PREFIX"))
    );
    let active = world.executable("active/bin/python");
    world.variables.insert("VIRTUAL_ENV", world.path("active").into());
    assert_eq!(
        world.find(None).unwrap(),
        found(active, Source::Variable("VIRTUAL_ENV"))
    );
    // A variable that points to nothing is passed over.
    world.variables.insert("VIRTUAL_ENV", world.path("gone").into());
    assert_eq!(world.find(None).unwrap().source, Source::Variable("CONDA_PREFIX"));
}

#[test]
fn the_explicit_one_is_an_executable_a_command_or_an_environment() {
    let mut world = World::new();
    let python = world.executable("env/bin/python");
    assert_eq!(
        world.find(Some(&python)).unwrap(),
        found(python.clone(), Source::Explicit)
    );
    assert_eq!(
        world.find(Some(&world.path("env"))).unwrap(),
        found(python, Source::Explicit)
    );
    world.variables.insert("PATH", world.path("bin").into());
    let other = world.executable("bin/python3.99");
    assert_eq!(
        world.find(Some(Path::new("python3.99"))).unwrap(),
        found(other, Source::Explicit)
    );
}

#[test]
fn an_explicit_one_that_cannot_be_used_is_refused_with_the_reason() {
    let world = World::new();
    world.executable("bin/python3");
    fs::write(world.path("text"), "").unwrap();
    fs::create_dir(world.path("empty")).unwrap();
    for (name, reason) in [
        ("text", "it is not executable"),
        ("empty", "it is a folder without bin/python"),
        ("gone/python", "there is no such file"),
    ] {
        let error = world.find(Some(&world.path(name))).unwrap_err();
        assert!(error.to_string().ends_with(reason), "{error}");
        assert_eq!(error.code(), "no-interpreter");
        assert!(error.hint().is_some());
    }
    let error = world.find(Some(Path::new("pythonfoo"))).unwrap_err();
    assert!(error.to_string().contains("pythonfoo") && error.to_string().contains("no such file or command"));
}
