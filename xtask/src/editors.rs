//! The editors' own checks, and tests in the real editors.

use std::path::{Path, PathBuf};

use crate::shell::{cargo, command, release_binary, root, step};

/// Formatting, types and lints of the VS Code extension; its package, with the executable in it.
fn vscode_package(binary: &Path) -> anyhow::Result<PathBuf> {
    let folder = root().join("editors/vscode");
    let bundled = folder.join("server");
    std::fs::create_dir_all(&bundled)?;
    // Line tables are three quarters of the tests' executable.
    step(
        "bundle the executable",
        command("strip")
            .arg(binary)
            .arg("-o")
            .arg(bundled.join("deeplocalize")),
    )?;
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

/// `cargo xtask package`: the extension with a release build.
pub fn package() -> anyhow::Result<()> {
    let package = vscode_package(&release_binary()?)?.join("deeplocalize.vsix");
    println!("{}", package.display());
    Ok(())
}

/// The extension in VS Code's real workbench, in headless Chromium. `pictures` is where screenshots are kept.
pub fn test_vscode(python: &Path, binary: &Path, pictures: Option<&Path>) -> anyhow::Result<()> {
    let folder = vscode_package(binary)?;
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

const STYLUA: &str = "@johnnymorganz/stylua-bin@2.5.2";
const SELENE: &str = "0.31.0";

/// Formatting and lints of the Neovim plugin.
fn check_lua(folder: &Path) -> anyhow::Result<()> {
    step(
        "formatting of the Neovim plugin",
        command("npx")
            .current_dir(folder)
            .args(["--yes", STYLUA, "--check", "."]),
    )?;
    // Selene is had only from the registry of crates; built once.
    let tools = root().join("target/tools");
    let selene = tools.join("bin/selene");
    if !selene.exists() {
        step(
            "install selene",
            cargo()
                .args([
                    "install",
                    "--debug",
                    "--quiet",
                    "--locked",
                    "--no-default-features",
                ])
                .args(["--version", SELENE, "--root"])
                .arg(&tools)
                .arg("selene"),
        )?;
    }
    step(
        "lints of the Neovim plugin",
        command(selene).current_dir(folder).arg("."),
    )
}

/// The plugin in real Neovim.
pub fn test_neovim(python: &Path, binary: &Path) -> anyhow::Result<()> {
    let folder = root().join("editors/neovim");
    check_lua(&folder)?;
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
