//! Settings, comments and fixes as a user meets them, on real files.

#![allow(
    clippy::unwrap_used,
    reason = "clippy counts only the test functions themselves as tests"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Two findings: DL101 (line 5) and DL001 (line 7).
const FAULTY: &str = r#"import keras  # needs keras>=3

model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(1, activation="softmax"),
])
model.compile(optimizer=keras.optimizers.SGD(lr=0.01), loss="binary_crossentropy")
"#;
const FIXED: &str = r#"import keras  # needs keras>=3

model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01), loss="binary_crossentropy")
"#;

fn deeplocalize(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deeplocalize"));
    command
        .current_dir(folder)
        .args(arguments)
        .env_remove("RUST_LOG")
        .env("COLUMNS", "100");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    deeplocalize(folder, arguments).output().unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Path, code and severity of each finding, sorted.
fn found(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let output = run(
        folder,
        &[&["check", "--output-format", "json"], arguments].concat(),
    );
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<String> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            [&finding["path"], &finding["code"], &finding["severity"]]
                .map(text)
                .join(" ")
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_command_line_counts_more_than_files() {
    let folder = folder(&[
        ("train.py", FAULTY),
        (
            "pyproject.toml",
            "[tool.deeplocalize]\nignore = ['DL1']\n[tool.deeplocalize.severity]\nDL001 = 'warning'\n",
        ),
    ]);
    let root = folder.path();
    fs::write(root.join("other.toml"), "select = ['softmax-on-one-unit']\n").unwrap();
    for (arguments, expected) in [
        (&[][..], &["train.py DL001 warning"][..]),
        (&["--isolated"], &["train.py DL001 error", "train.py DL101 error"]),
        (&["--select", "DL101"], &["train.py DL101 error"]),
        (
            &[
                "--select",
                "ALL",
                "--severity",
                "dl101=hint",
                "--severity",
                "DL0=information",
            ],
            &["train.py DL001 information", "train.py DL101 hint"],
        ),
        (&["--ignore", "DL0"], &[]),
        (&["--config", "other.toml"], &["train.py DL101 error"]),
        (&["--config", "other.toml", "--ignore", "DL101,DL301"], &[]),
    ] {
        assert_eq!(
            found(root, &[arguments, &["."]].concat()),
            expected,
            "{arguments:?}"
        );
    }
}

#[test]
fn the_nearest_settings_count_and_exclude_spares_what_is_named() {
    let folder = folder(&[
        ("train.py", FAULTY),
        ("old/train.py", FAULTY),
        ("new/train.py", FAULTY),
        ("deeplocalize.toml", "exclude = ['old/']\nselect = ['DL101']\n"),
        ("pyproject.toml", "[tool.deeplocalize]\nselect = []\n"),
        ("new/deeplocalize.toml", "select = ['DL001']\n"),
    ]);
    let expected = ["new/train.py DL001 error", "train.py DL101 error"];
    assert_eq!(found(folder.path(), &[]), expected);
    assert_eq!(
        found(folder.path(), &["old/train.py"]),
        ["old/train.py DL101 error"]
    );
}

#[test]
fn mistakes_in_settings_are_named_with_their_place() {
    let folder = folder(&[
        ("train.py", "import keras\n"),
        (
            "deeplocalize.toml",
            "select = ['ALL']\nignores = []\n\n[severity]\nDL101 = 'bad'\n",
        ),
    ]);
    let output = run(folder.path(), &["check", "train.py"]);
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    for message in [
        "deeplocalize.toml:2:1: there is no setting `ignores`; did you mean `ignore`?",
        "deeplocalize.toml:5:9: the severity of DL101 must be",
    ] {
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
    for arguments in [
        &["check", "--select", "DL999"][..],
        &["check", "--severity", "DL101"],
        &["check", "--severity", "DL101=bad"],
        &["check", "--config", "gone.toml"],
        &["check", "--config", "deeplocalize.toml", "--isolated"],
        &["check", "--unsafe-fixes"],
        &["check", "--watch", "-"],
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!((status(&output), stdout(&output)), (2, ""), "{arguments:?}");
        assert_ne!(stderr(&output), "", "{arguments:?}");
    }
}

#[test]
fn comments_silence_findings() {
    let silent = FAULTY
        .replace("\"softmax\"),", "\"softmax\"),  # deeplocalize: ignore[DL101]")
        .replace("entropy\")", "entropy\")  # noqa: DL001");
    let folder = folder(&[
        ("train.py", &silent),
        ("file.py", &format!("# deeplocalize: ignore-file\n{FAULTY}")),
        (
            "string.py",
            &format!("x = '# deeplocalize: ignore-file'\n{FAULTY}"),
        ),
    ]);
    let expected = ["string.py DL001 error", "string.py DL101 error"];
    assert_eq!(found(folder.path(), &[]), expected);
}

#[test]
fn fixes_keep_everything_else() {
    let windows = format!("\u{feff}{}", FAULTY.replace('\n', "\r\n"));
    let folder = folder(&[("train.py", FAULTY), ("windows.py", &windows)]);
    let root = folder.path();
    fs::set_permissions(
        root.join("train.py"),
        std::os::unix::fs::PermissionsExt::from_mode(0o750),
    )
    .unwrap();
    let output = run(root, &["check", "--fix"]);
    assert_eq!(
        (status(&output), stdout(&output), stderr(&output)),
        (
            0,
            "healthy: nothing found in 2 files\n",
            "fixed 4 findings in 2 files\n"
        )
    );
    assert_eq!(fs::read_to_string(root.join("train.py")).unwrap(), FIXED);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&root.join("train.py").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o750);
    assert_eq!(
        fs::read_to_string(root.join("windows.py")).unwrap(),
        format!("\u{feff}{}", FIXED.replace('\n', "\r\n"))
    );
    let again = run(root, &["check", "--fix"]);
    assert_eq!((status(&again), stderr(&again)), (0, ""));
}

#[test]
fn only_what_is_selected_and_not_silenced_is_fixed_and_broken_files_are_left_alone() {
    let broken = format!("{FAULTY}f(\n");
    let silenced = FAULTY.replace("\"softmax\"),", "\"softmax\"),  # noqa");
    let folder = folder(&[
        ("train.py", FAULTY),
        ("broken.py", &broken),
        ("silent.py", &silenced),
    ]);
    let output = run(folder.path(), &["check", "--fix", "--select", "DL101"]);
    assert_eq!(status(&output), 1, "{}", stdout(&output));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("train.py"), FAULTY.replace("softmax", "sigmoid"));
    assert_eq!(read("broken.py"), broken);
    assert_eq!(read("silent.py"), silenced);
}

#[test]
fn a_diff_shows_what_fixes_would_change_and_changes_nothing() {
    let folder = folder(&[("train.py", FAULTY), ("good.py", FIXED)]);
    let output = run(folder.path(), &["check", "--diff"]);
    assert_eq!(
        (status(&output), stderr(&output)),
        (1, "would fix 2 findings in 1 file\n")
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("train.py")).unwrap(),
        FAULTY
    );
    let mut patch = Command::new("patch")
        .current_dir(folder.path())
        .args(["-p0", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    patch.stdin.take().unwrap().write_all(&output.stdout).unwrap();
    assert!(patch.wait().unwrap().success());
    assert_eq!(fs::read_to_string(folder.path().join("train.py")).unwrap(), FIXED);
    let output = run(folder.path(), &["check", "--diff"]);
    assert_eq!((status(&output), stdout(&output), stderr(&output)), (0, "", ""));
}

#[test]
fn standard_input_is_fixed_on_standard_output() {
    let folder = folder(&[]);
    let mut child = deeplocalize(folder.path(), &["check", "--fix", "--quiet", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(FAULTY.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((status(&output), stdout(&output)), (0, FIXED));
}

#[test]
fn a_notebook_is_checked_and_fixed_cell_by_cell() {
    let notebook = r#"{
 "cells": [
  {"cell_type": "markdown", "source": ["softmax"], "metadata": {}},
  {
   "cell_type": "code",
   "execution_count": 7,
   "source": [
    "%matplotlib inline\n",
    "import keras"
   ],
   "outputs": [{"text": 1.50}]
  },
  {
   "cell_type": "code",
   "source": [
    "!nvidia-smi\n",
    "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation='softmax')])\n",
    "model.compile(loss='binary_crossentropy')"
   ]
  }
 ],
 "nbformat": 4
}"#;
    let folder = folder(&[("train.ipynb", notebook)]);
    let output = run(folder.path(), &["check", "--output-format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = &document["findings"][0];
    assert_eq!(
        (&finding["path"], &finding["cell"]),
        (&"train.ipynb".into(), &2.into())
    );
    assert_eq!(
        finding["range"]["start"],
        serde_json::json!({"line": 2, "column": 79})
    );
    assert_eq!(finding["fixes"][0]["edits"][0]["cell"], 2);
    let output = run(folder.path(), &["check"]);
    assert!(
        stdout(&output).contains("train.ipynb:cell 2:2:79"),
        "{}",
        stdout(&output)
    );
    assert_eq!(status(&run(folder.path(), &["check", "--fix"])), 0);
    assert_eq!(
        fs::read_to_string(folder.path().join("train.ipynb")).unwrap(),
        notebook.replace("'softmax'", "'sigmoid'")
    );
    fs::write(folder.path().join("train.ipynb"), "{\"keras\": 1}").unwrap();
    let output = run(folder.path(), &["check"]);
    assert_eq!(status(&output), 2);
    assert!(
        stderr(&output).contains("this is no Jupyter notebook"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn watching_checks_again_when_a_file_changes() {
    let folder = folder(&[("train.py", FIXED)]);
    let log = folder.path().join("out.log");
    let mut child = deeplocalize(folder.path(), &["check", "--watch", "--output-format", "concise"])
        .stdout(fs::File::create(&log).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let wait_for = |text: &str| {
        let begun = std::time::Instant::now();
        while !fs::read_to_string(&log).unwrap().contains(text) {
            assert!(
                begun.elapsed().as_secs() < 20,
                "{text}: {}",
                fs::read_to_string(&log).unwrap()
            );
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    wait_for("healthy: nothing found in train.py");
    fs::write(folder.path().join("train.py"), FAULTY).unwrap();
    wait_for("2 errors in train.py");
    fs::write(folder.path().join("deeplocalize.toml"), "select = ['DL001']\n").unwrap();
    wait_for("1 error in train.py");
    child.kill().unwrap();
    child.wait().unwrap();
}
