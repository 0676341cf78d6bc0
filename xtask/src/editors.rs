//! The editors' own checks, and tests in the real editors.

use std::path::{Path, PathBuf};

use crate::shell::{command, root, step};

/// Formatting, types and lints of the VS Code extension; its package.
fn vscode_package() -> anyhow::Result<PathBuf> {
    let folder = root().join("editors/vscode");
    let npm = |arguments: &[&str]| {
        let mut command = command("npm");
        command.current_dir(&folder).args(arguments);
        command
    };
    // Post-install steps want download sites; what we need of them comes with the packages.
    step(
        "install what the VS Code extension is built with",
        &mut npm(&[
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]),
    )?;
    step(
        "types, formatting and lints of the VS Code extension",
        &mut npm(&["run", "--silent", "check"]),
    )?;
    step(
        "package the VS Code extension",
        &mut npm(&["run", "--silent", "package"]),
    )?;
    Ok(folder)
}

/// The extension in VS Code's real workbench, in headless Chromium. `pictures` is where screenshots are kept.
pub fn test_vscode(python: &Path, binary: &Path, pictures: Option<&Path>) -> anyhow::Result<()> {
    let folder = vscode_package()?;
    let workbench = root().join("target/editors/code-server");
    step(
        "set up VS Code's workbench",
        command("bash").arg(folder.join("tests/setup.sh")).arg(&workbench),
    )?;
    let mut tests = command("node");
    tests
        .current_dir(&folder)
        .args(["--test", "tests/report.test.mjs", "tests/workbench.test.mjs"])
        .env("DEEPLOCALIZE_TEST_CODE_SERVER", &workbench)
        .env("DEEPLOCALIZE_TEST_BINARY", binary)
        .env("DEEPLOCALIZE_TEST_PYTHON", python);
    if let Some(pictures) = pictures {
        std::fs::create_dir_all(pictures)?;
        tests.env("DEEPLOCALIZE_TEST_PICTURES", pictures);
    }
    step("the extension in VS Code", &mut tests)
}

/// The plugin in real Neovim.
pub fn test_neovim(python: &Path, binary: &Path) -> anyhow::Result<()> {
    let folder = root().join("editors/neovim");
    let neovim = root().join("target/editors/neovim");
    step(
        "set up Neovim",
        command("bash").arg(folder.join("tests/setup.sh")).arg(&neovim),
    )?;
    step(
        "the plugin in Neovim",
        command(neovim.join("nvim"))
            .current_dir(&folder)
            .args(["--headless", "-u", "NONE", "-l", "tests/editor.lua"])
            .env("DEEPLOCALIZE_TEST_BINARY", binary)
            .env("DEEPLOCALIZE_TEST_PYTHON", python),
    )
}
