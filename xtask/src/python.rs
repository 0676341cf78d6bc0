//! The Python environment of tests and demo: pinned packages in `.venv`, made once.

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::shell::{command, root, step};

/// Interpreter of the environment, which is made or brought up to date first.
pub fn environment() -> anyhow::Result<PathBuf> {
    let requirements = root().join("tests/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).context("cannot read tests/requirements.txt")?;
    let folder = root().join(".venv");
    let python = folder.join("bin/python");
    let stamp = folder.join("installed-requirements.txt");
    if python.exists() && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let base = base_interpreter()?;
    step(
        "make the Python environment",
        command(&base).args(["-m", "venv", "--clear"]).arg(&folder),
    )?;
    step(
        "install Keras and TensorFlow",
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
