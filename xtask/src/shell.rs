//! Running other programs.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

pub use e2e::root;

/// A command that starts in the root of the repository.
pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that runs this.
pub fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a step and says what it is and how long it took; fails when it fails.
pub fn step(title: &str, command: &mut Command) -> anyhow::Result<()> {
    println!("\n== {title}");
    let start = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    println!(
        "== {title}: {} in {:.1} s",
        if status.success() { "ok" } else { "failed" },
        start.elapsed().as_secs_f64()
    );
    if !status.success() {
        bail!("{title} failed ({status})");
    }
    Ok(())
}

/// Builds the release binary and gives its path.
pub fn release_binary() -> anyhow::Result<PathBuf> {
    binary("build", &["--release"], "release")
}

/// What the benches of findings run: what `DEEPLOCALIZE_TEST_BINARY` and `DEEPLOCALIZE_TEST_PYTHON` name, else a release build
/// and the tests' environment.
pub fn measured_tool() -> anyhow::Result<e2e::Tool> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    Ok(e2e::Tool {
        binary: named("DEEPLOCALIZE_TEST_BINARY").map_or_else(release_binary, Ok)?,
        python: named("DEEPLOCALIZE_TEST_PYTHON").map_or_else(crate::python::environment, Ok)?,
    })
}

/// The binary that tests run. Not a release build: the workspace's tests have built this one already, and it checks for
/// overflows besides.
pub fn test_binary() -> anyhow::Result<PathBuf> {
    binary("build the tests' binary", &[], "debug")
}

fn binary(title: &str, arguments: &[&str], folder: &str) -> anyhow::Result<PathBuf> {
    step(
        title,
        cargo()
            .args(["build", "--package", "deeplocalize"])
            .args(arguments),
    )?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target
        .join(folder)
        .join(format!("deeplocalize{}", std::env::consts::EXE_SUFFIX)))
}
