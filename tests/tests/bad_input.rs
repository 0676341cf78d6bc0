//! Scripts and machines that are not as one would wish: a clear message, exit status 2, nothing left behind.
#![cfg(feature = "keras")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use e2e::{run_json, tool};
use serde_json::Value;

/// Runs a script and gives the report and the exit status.
fn run(text: &str, options: &[&str]) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.py"), text).unwrap();
    let mut arguments = options.to_vec();
    arguments.push("train.py");
    let (report, output) = run_json(folder.path(), &arguments).unwrap();
    (report, output.status.code())
}

fn error_codes(report: &Value) -> Vec<&str> {
    report["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect()
}

/// Asserts that the run fails with `code` and a message that holds `words`.
fn fails(text: &str, options: &[&str], code: &str, words: &str) {
    let (report, status) = run(text, options);
    assert_eq!(error_codes(&report), [code], "{report:#}");
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains(words), "{message:?} does not say {words:?}");
    assert_eq!(status, Some(2), "{report:#}");
}

#[test]
fn no_training() {
    fails(
        "import keras\nprint('done')\n",
        &[],
        "no-training",
        "without a call of fit",
    );
}

#[test]
fn leaves_by_itself() {
    fails("import sys\nsys.exit(3)\n", &[], "no-training", "status 3");
}

#[test]
fn asks_for_input() {
    fails(
        "import keras\nname = input('name? ')\n",
        &[],
        "waits-for-input",
        "line 2",
    );
}

#[test]
fn kills_itself() {
    fails(
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
        &[],
        "script-killed",
        "SIGKILL",
    );
}

#[test]
fn loops_for_ever() {
    fails(
        "while True:\n    pass\n",
        &["--startup-seconds", "2"],
        "no-training",
        "did not start to train",
    );
}

#[test]
fn raises_before_training() {
    let (report, status) = run("x = 1\nprint(x / 0)\n", &[]);
    assert_eq!(error_codes(&report), ["script-crashed"]);
    assert_eq!(report["verdict"], "crashed");
    assert_eq!(report["findings"][0]["range"]["start"]["line"], 2);
    assert_eq!(status, Some(2));
}

#[test]
fn a_plot_opens_no_window_and_holds_nothing_up() {
    let text = "import matplotlib\nmatplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n\
                assert matplotlib.get_backend().lower() == 'agg'\n";
    fails(text, &[], "no-training", "without a call of fit");
}

#[test]
fn an_interpreter_without_keras() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.py"), "import keras\n").unwrap();
    let bare = folder.path().join("bare");
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(&bare)
        .status()
        .unwrap();
    assert!(made.success());
    let output = tool(folder.path())
        .unwrap()
        .args([
            "run",
            "--output-format",
            "json",
            "--python",
            "bare/bin/python",
            "train.py",
        ])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error_codes(&report), ["no-keras"], "{report:#}");
    assert!(report["errors"][0]["hint"].as_str().unwrap().contains("--python"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_environment_beside_the_script_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let nested = folder.path().join("src");
    std::fs::create_dir(&nested).unwrap();
    std::fs::write(nested.join("train.py"), "print('hello')\n").unwrap();
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(folder.path().join(".venv"))
        .status()
        .unwrap();
    assert!(made.success());
    let output = tool(&nested)
        .unwrap()
        .args(["run", "--output-format", "json", "train.py"])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let interpreter = report["run"]["interpreter"].as_str().unwrap();
    assert!(Path::new(interpreter).starts_with(folder.path()), "{interpreter}");
}

#[test]
fn cancelled_by_a_signal_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    // What the script prints can be seen from outside; the files it writes cannot.
    let log = folder.path().join("log");
    let text = "import os, subprocess, sys, time\nchild = subprocess.Popen(['sleep', '987'])\n\
                print(os.getpid(), child.pid, flush=True)\ntime.sleep(600)\n";
    std::fs::write(folder.path().join("train.py"), text).unwrap();
    let mut running = tool(folder.path())
        .unwrap()
        .args(["run", "--no-progress", "--log", "log", "--python"])
        .arg(e2e::python().unwrap())
        .arg("train.py")
        .spawn()
        .unwrap();
    let wait = |done: &dyn Fn() -> bool| {
        for _ in 0..200 {
            if done() {
                return true;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        false
    };
    let pids = || -> Vec<u32> {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect()
    };
    assert!(wait(&|| pids().len() == 2), "the script never started");
    let pids = pids();
    assert!(
        Command::new("kill")
            .args(["-INT", &running.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert!(
        wait(&|| pids
            .iter()
            .all(|pid| !Path::new(&format!("/proc/{pid}")).exists())),
        "left behind: {pids:?}"
    );
    assert!(!running.wait().unwrap().success());
}
