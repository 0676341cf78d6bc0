//! `cargo xtask test`: everything CI runs.

use crate::editors;
use crate::python;
use crate::shell::{cargo, command, release_binary, step};

pub fn run(fast: bool) -> anyhow::Result<()> {
    step("formatting", cargo().args(["fmt", "--all", "--check"]))?;
    step(
        "lints",
        cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    step(
        "tests without Python packages",
        cargo().args(["test", "--workspace", "--quiet"]),
    )?;
    if fast {
        return Ok(());
    }
    let python = python::environment()?;
    let binary = release_binary()?;
    step(
        "Python formatting",
        command(&python).args(["-m", "ruff", "format", "--check", "."]),
    )?;
    step(
        "Python lints",
        command(&python).args(["-m", "ruff", "check", "."]),
    )?;
    step(
        "tracer inside Keras",
        command(&python).args([
            "-m",
            "unittest",
            "discover",
            "--start-directory",
            "server/session/tracer/tests",
            "--top-level-directory",
            "server/session/tracer",
        ]),
    )?;
    step(
        "runs on real scripts",
        cargo()
            .args([
                "test",
                "--package",
                "e2e",
                "--features",
                "keras",
                "--",
                "--nocapture",
            ])
            .env("DEEPLOCALIZE_TEST_PYTHON", &python)
            .env("DEEPLOCALIZE_TEST_BINARY", &binary),
    )?;
    step(
        "runs in the language server",
        cargo()
            .args([
                "test",
                "--package",
                "deeplocalize",
                "--features",
                "keras",
                "--test",
                "lsp",
                "runs::",
            ])
            .args(["--", "--test-threads", "2"])
            .env("DEEPLOCALIZE_TEST_PYTHON", &python),
    )?;
    editors::test_neovim(&python, &binary)?;
    editors::test_vscode(&python, &binary, None)
}
