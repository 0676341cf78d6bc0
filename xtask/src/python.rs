//! The Python environment of tests and demo: pinned packages in `.venv`, made once.

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::shell::{command, root, step};

const STAMP: &str = "installed-requirements.txt";

/// Interpreter of the environment, which is made or brought up to date first.
pub fn environment() -> anyhow::Result<PathBuf> {
    made(
        ".venv",
        "tests/requirements.txt",
        "install Keras, TensorFlow and the rest",
    )
}

/// Interpreter with what the demonstration needs: Keras and NumPy, no framework. That of the tests does as well.
pub fn demo_environment() -> anyhow::Result<PathBuf> {
    let tests = root().join(".venv");
    if tests.join(STAMP).exists() && tests.join("bin/python").exists() {
        return Ok(tests.join("bin/python"));
    }
    made("target/demo-venv", "tests/requirements-demo.txt", "install Keras")
}

/// Interpreter of an environment with these requirements, which is made or brought up to date first.
fn made(folder: &str, requirements: &str, installing: &str) -> anyhow::Result<PathBuf> {
    let folder = root().join(folder);
    let requirements = root().join(requirements);
    let wanted = std::fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let python = folder.join("bin/python");
    let stamp = folder.join(STAMP);
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let base = base_interpreter()?;
    step(
        "make the Python environment",
        command(&base).args(["-m", "venv", "--clear"]).arg(&folder),
    )?;
    step(
        installing,
        command(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(&requirements),
    )?;
    std::fs::write(&stamp, wanted).context("cannot note what was installed")?;
    Ok(python)
}

/// A Python 3.11 or newer.
fn base_interpreter() -> anyhow::Result<String> {
    for name in ["python3.11", "python3", "python3.12", "python3.13", "python"] {
        let check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
        if command(name)
            .args(["-c", check])
            .output()
            .is_ok_and(|output| output.status.success())
        {
            return Ok(name.to_owned());
        }
    }
    bail!("no Python 3.11 or newer with venv and pip found; install python3 and python3-venv")
}
