//! `cargo xtask test`: everything CI runs.

use clap::ValueEnum;

use crate::editors;
use crate::python;
use crate::shell::{cargo, command, step, test_binary};

/// A part of the tests that can be run by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Formatting and lints of Rust
    Lints,
    /// What needs neither Python packages nor an editor
    Workspace,
    /// Formatting and lints of Python
    Python,
    /// The tracer inside Keras
    Tracer,
    /// Runs of real scripts from the command line
    Runs,
    /// Runs of real scripts in the language server
    Server,
    /// The plugin in real Neovim
    Neovim,
    /// The extension in VS Code's real workbench
    Vscode,
}

/// Runs a part; fails when it fails.
type Run = fn() -> anyhow::Result<()>;

/// The parts, those first that fail soonest.
const PARTS: [(Part, Run); 8] = [
    (Part::Lints, lints),
    (Part::Workspace, workspace),
    (Part::Python, python_lints),
    (Part::Tracer, tracer),
    (Part::Runs, runs),
    (Part::Server, server),
    (Part::Neovim, || {
        editors::test_neovim(&python::environment()?, &test_binary()?)
    }),
    (Part::Vscode, || {
        editors::test_vscode(&python::environment()?, &test_binary()?, None)
    }),
];

pub fn run(fast: bool, only: Option<Part>) -> anyhow::Result<()> {
    let wanted = |part: Part| match only {
        Some(only) => part == only,
        None => !fast || matches!(part, Part::Lints | Part::Workspace),
    };
    for (part, run) in PARTS {
        if wanted(part) {
            run()?;
        }
    }
    Ok(())
}

fn lints() -> anyhow::Result<()> {
    step("formatting", cargo().args(["fmt", "--all", "--check"]))?;
    step(
        "lints",
        cargo()
            .args(["clippy", "--workspace", "--all-targets", "--all-features"])
            .args(["--", "-D", "warnings"]),
    )
}

fn python_lints() -> anyhow::Result<()> {
    let python = python::environment()?;
    for (title, arguments) in [
        (
            "Python formatting",
            ["-m", "ruff", "format", "--check", "."].as_slice(),
        ),
        ("Python lints", &["-m", "ruff", "check", "."]),
    ] {
        step(title, command(&python).args(arguments))?;
    }
    Ok(())
}

fn workspace() -> anyhow::Result<()> {
    step(
        "tests without Python packages",
        cargo().args(["test", "--workspace", "--quiet"]),
    )
}

fn tracer() -> anyhow::Result<()> {
    let folder = "server/session/tracer";
    step(
        "tracer inside Keras",
        command(python::environment()?)
            .args(["-m", "unittest", "discover", "--start-directory"])
            .arg(format!("{folder}/tests"))
            .args(["--top-level-directory", folder])
            .env("DEEPLOCALIZE_TEST_BINARY", test_binary()?),
    )
}

fn runs() -> anyhow::Result<()> {
    step(
        "runs on real scripts",
        cargo()
            .args(["test", "--package", "e2e", "--features", "keras"])
            .args(["--", "--nocapture"])
            .env("DEEPLOCALIZE_TEST_PYTHON", python::environment()?)
            .env("DEEPLOCALIZE_TEST_BINARY", test_binary()?),
    )
}

fn server() -> anyhow::Result<()> {
    step(
        "runs in the language server",
        cargo()
            .args(["test", "--package", "deeplocalize", "--features", "keras"])
            .args(["--test", "lsp", "--", "runs::", "trying::", "--test-threads", "2"])
            .env("DEEPLOCALIZE_TEST_PYTHON", python::environment()?),
    )
}
