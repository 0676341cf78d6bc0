//! `cargo xtask demo`: the tool on a script that does not learn.

use anyhow::bail;

use crate::python;
use crate::shell::{command, release_binary};

const SCRIPT: &str = "fixtures/deeplocalize-40/48385830-digits-mlp/faulty.py";

pub fn run() -> anyhow::Result<()> {
    let binary = release_binary()?;
    let python = python::demo_environment()?;
    println!("\n$ deeplocalize run {SCRIPT}\n");
    let status = command(binary)
        .args(["run", "--python"])
        .arg(python)
        .arg(SCRIPT)
        .status()?;
    match status.code() {
        // The script is faulty, so finding nothing would be the failure.
        Some(1) => Ok(()),
        _ => bail!("expected a finding and exit status 1, got {status}"),
    }
}
