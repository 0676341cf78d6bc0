//! The program as a user or a script calls it.

#![allow(
    clippy::unwrap_used,
    reason = "clippy counts only the test functions themselves as tests"
)]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const MANUAL: &str = include_str!("../../../docs/cli.md");
const HEALTHY: &str = "import keras\n\nprint(keras.__version__)\n";

fn deeplocalize(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deeplocalize"));
    command
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .env("COLUMNS", "100");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    deeplocalize(folder).args(arguments).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// Puts a shell script there that is called as `./python`.
fn stand_in(folder: &Path, script: &str) {
    let python = folder.join("python");
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn healthy_files_end_in_status_0() {
    let folder = folder(&[("train.py", HEALTHY.as_bytes()), ("sub/other.py", b"x = 1\n")]);
    let output = run(folder.path(), &["check"]);
    assert_eq!(
        (status(&output), stdout(&output)),
        (0, "healthy: nothing found in 2 files\n")
    );
    assert_eq!(stderr(&output), "");
    let output = run(folder.path(), &["check", "train.py", "--quiet"]);
    assert_eq!((status(&output), stdout(&output)), (0, ""));
    let document = json(&run(
        folder.path(),
        &["check", "sub", "train.py", "--output-format", "json"],
    ));
    assert_eq!(document["verdict"], "healthy");
    assert_eq!(document["files"], serde_json::json!(["sub/other.py", "train.py"]));
    assert_eq!(document["run"], serde_json::Value::Null);
}

#[test]
fn what_cannot_be_checked_is_named_and_ends_in_status_2() {
    let folder = folder(&[
        ("latin.py", b"x = '\xe9'\n"),
        ("binary.py", b"\0\0"),
        ("large.py", &vec![b'#'; 4 * 1024 * 1024 + 1]),
        ("broken.py", b"import keras\nx = 1\nf(\n"),
        ("empty/notes.txt", b""),
    ]);
    for (path, code, message) in [
        ("gone.py", "no-such-file", "no such file or folder: gone.py"),
        (
            "latin.py/x.py",
            "no-such-file",
            "no such file or folder: latin.py/x.py",
        ),
        ("latin.py", "not-utf-8", "latin.py is not UTF-8 text (line 1)"),
        (
            "binary.py",
            "binary",
            "binary.py is not a text: it contains zero bytes",
        ),
        ("large.py", "too-large", "large.py is larger than 4 MiB"),
        ("broken.py", "syntax-error", "broken.py:3:"),
        ("empty", "no-python-files", "no Python files in empty"),
        ("/dev/zero", "unreadable", "/dev/zero is not a regular file"),
    ] {
        let output = run(folder.path(), &["check", path]);
        assert_eq!(status(&output), 2, "{path}");
        assert!(
            stderr(&output).starts_with(&format!("error: {message}")),
            "{}",
            stderr(&output)
        );
        let output = run(folder.path(), &["check", path, "--output-format", "json"]);
        assert_eq!((status(&output), stderr(&output)), (2, ""), "{path}");
        let document = json(&output);
        assert_eq!(document["errors"][0]["code"], code);
        assert!(MANUAL.contains(&format!("`{code}`")), "{code}");
        assert_eq!(document["errors"][0]["path"], path);
        assert_eq!(document["verdict"], "inconclusive");
    }
}

#[test]
fn one_bad_file_does_not_keep_the_others_from_being_checked() {
    let folder = folder(&[
        ("a.py", HEALTHY.as_bytes()),
        ("b.py", b"import keras\n(((\n"),
        ("c.py", b"\xff\0"),
    ]);
    let output = run(folder.path(), &["check", "gone.py", "."]);
    assert_eq!(status(&output), 2);
    let errors: Vec<_> = stderr(&output)
        .lines()
        .filter(|line| line.starts_with("error"))
        .collect();
    assert_eq!(errors.len(), 2, "c.py never mentions Keras: {errors:?}");
    assert!(stdout(&output).contains("found nothing in what could be checked of 3 files"));
}

#[test]
fn standard_input_is_reported_by_its_name() {
    let folder = folder(&[]);
    for (arguments, name) in [
        (vec!["check", "-", "--output-format", "json"], "-"),
        (
            vec![
                "check",
                "-",
                "--stdin-filename",
                "a/b.py",
                "--output-format",
                "json",
            ],
            "a/b.py",
        ),
    ] {
        let mut child = deeplocalize(folder.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"import keras\nf(\n")
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(status(&output), 2);
        let document = json(&output);
        assert_eq!(document["files"], serde_json::json!([name]));
        assert_eq!(document["errors"][0]["path"], name);
    }
}

#[test]
fn wrong_arguments_end_in_status_2() {
    let folder = folder(&[("train.py", HEALTHY.as_bytes())]);
    for arguments in [
        &["check", "--output-format", "xml"][..],
        &["check", "--fail-on", "fatal"],
        &["check", "--nonsense"],
        &["run"],
        &["run", "--max-batches", "0", "train.py"],
        &["run", "--max-seconds", "-1", "train.py"],
        &["run", "--deeplocalize-n", "5", "train.py"],
        &["explain", "DL000000"],
        &["nonsense"],
        &[],
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        assert_ne!(stderr(&output), "", "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_run_that_cannot_start_says_why() {
    let folder = folder(&[("train.py", HEALTHY.as_bytes())]);
    let output = run(folder.path(), &["run", "gone.py", "--output-format", "text"]);
    assert_eq!((status(&output), stdout(&output)), (2, ""));
    assert!(
        stderr(&output).starts_with("error: no such file or folder: gone.py"),
        "{}",
        stderr(&output)
    );
    let arguments = [
        "run",
        "--output-format",
        "json",
        "--python",
        "/nowhere/python",
        "train.py",
        "--quiet",
    ];
    let output = run(folder.path(), &arguments);
    assert_eq!((status(&output), stderr(&output)), (2, ""));
    assert_eq!(json(&output)["errors"].as_array().unwrap().len(), 1);
}

/// A stand-in for Python that notes its arguments: what follows the script reaches it as it is.
#[test]
fn arguments_after_the_script_are_its_own() {
    let folder = folder(&[("train.py", HEALTHY.as_bytes())]);
    stand_in(folder.path(), "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    let own = ["--python", "x", "-q", "--", "--help", "-v", ""];
    let arguments = [
        &["run", "--python", "./python", "--log", "log", "train.py"][..],
        &own,
    ]
    .concat();
    assert_eq!(status(&run(folder.path(), &arguments)), 2, "it never trains");
    let seen = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(
        seen.ends_with(&format!("train.py\n{}\n", own.join("\n"))),
        "{seen}"
    );
}

#[test]
fn every_listed_code_is_explained() {
    let folder = folder(&[]);
    let list = json(&run(folder.path(), &["rules", "--output-format", "json"]));
    let table = run(folder.path(), &["rules"]);
    let rules = list["rules"].as_array().unwrap();
    assert!(!rules.is_empty());
    for rule in rules {
        let code = rule["code"].as_str().unwrap();
        assert!(stdout(&table).contains(code));
        for asked in [code, &code.to_lowercase(), rule["name"].as_str().unwrap()] {
            let output = run(folder.path(), &["explain", asked]);
            assert_eq!(status(&output), 0, "{asked}");
            assert!(stdout(&output).starts_with(code), "{asked}");
            assert!(stdout(&output).contains("What it does"), "{asked}");
        }
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let folder = folder(&[("train.py", HEALTHY.as_bytes())]);
    for arguments in [
        &["rules"][..],
        &["check"],
        &["check", "--output-format", "json"],
        &["explain", "DL701"],
    ] {
        let mut child = deeplocalize(folder.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((status(&output), stderr(&output)), (0, ""), "{arguments:?}");
    }
}

#[test]
fn the_first_interrupt_reports_what_is_known() {
    let folder = folder(&[("train.py", HEALTHY.as_bytes())]);
    stand_in(folder.path(), "#!/bin/sh\necho started\nexec sleep 600\n");
    // What the script prints can be seen from outside; the files it writes cannot.
    let log = folder.path().join("log");
    let started = || fs::read_to_string(&log).is_ok_and(|text| text.contains("started"));
    for (signal, expected) in [("INT", 130), ("TERM", 143)] {
        let _ = fs::remove_file(&log);
        let mut child = deeplocalize(folder.path())
            .args([
                "run",
                "--python",
                "./python",
                "--log",
                "log",
                "--output-format",
                "json",
                "train.py",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = std::time::Instant::now();
        while !started() {
            assert!(begun.elapsed().as_secs() < 60, "the script was never started");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let mut document = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut document)
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(expected));
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["verdict"], "inconclusive");
    }
}

#[test]
fn the_manual_names_every_option() {
    let folder = folder(&[]);
    for command in [
        "check", "run", "analyze", "report", "fix", "explain", "rules", "server",
    ] {
        assert!(
            MANUAL.contains(&format!("## `deeplocalize {command}")),
            "{command}"
        );
        let help = run(folder.path(), &[command, "--help"]);
        let described = stdout(&help)
            .lines()
            .filter(|line| line.trim_start().starts_with('-'));
        let words = described.flat_map(|line| line.split([' ', ',', '.', '[']));
        for option in words.filter(|word| word.starts_with("--")) {
            assert!(MANUAL.contains(&format!("`{option}")), "{command} {option}");
        }
    }
}

#[test]
fn a_report_needs_a_trace_and_says_so() {
    let folder = folder(&[("broken.npz", b"PK\x03\x04 no archive")]);
    let report = |arguments: &[&str]| {
        let cache = folder.path().join("cache");
        let mut command = deeplocalize(folder.path());
        command.arg("report").args(arguments).env("XDG_CACHE_HOME", cache);
        command.output().unwrap()
    };
    let output = report(&[]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("--trace run.npz"), "{}", stderr(&output));
    let output = report(&["broken.npz", "--output", "page.html"]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("broken.npz"), "{}", stderr(&output));
    assert!(!folder.path().join("page.html").exists());
}
