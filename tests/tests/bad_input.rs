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

#[cfg(target_os = "linux")]
#[test]
fn takes_too_much_memory() {
    fails(
        "import time\nkept = []\nwhile True:\n    kept.append(bytearray(b'x' * (8 << 20)))\n    time.sleep(0.02)\n",
        &["--max-memory", "200"],
        "too-much-memory",
        "MiB of memory",
    );
}

#[test]
fn writes_too_much() {
    fails(
        "import time\nfile = open('checkpoint', 'wb')\nwhile True:\n    file.write(b'x' * (4 << 20))\n    \
         file.flush()\n    time.sleep(0.02)\n",
        &["--max-written", "20"],
        "too-much-written",
        "MiB of files",
    );
}

#[test]
fn leaves_in_the_middle_of_its_training() {
    let text = "import os\nimport keras, numpy as np\n\
                class Leaves(keras.callbacks.Callback):\n    \
                def on_train_batch_end(self, batch, logs=None):\n        \
                if batch == 5: os._exit(137)\n\
                x = np.random.rand(640, 4).astype('float32')\n\
                model = keras.Sequential([keras.layers.Dense(1)])\nmodel.compile('sgd', 'mse')\n\
                model.fit(x, x.sum(axis=1), verbose=0, callbacks=[Leaves()])\n";
    fails(text, &["--mechanism", "callback"], "script-left", "status 137");
}

/// Log, trace and what the script writes on a file system of one megabyte.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let namespaces = ["--user", "--map-root-user", "--mount"];
    let allowed = Command::new("unshare").args(namespaces).arg("true").output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        eprintln!("this system gives no namespaces: a full disk is not tested");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("small")).unwrap();
    let run = |text: &str, environment: &str, options: &str| -> Value {
        std::fs::write(folder.path().join("train.py"), text).unwrap();
        let command = format!(
            "mount -t tmpfs -o size=1m none small && exec env {environment} \"$0\" run --output-format json --python \"$1\" {options} train.py"
        );
        let output = Command::new("unshare")
            .current_dir(folder.path())
            .args(namespaces)
            .args(["sh", "-c", &command])
            .args([e2e::binary().unwrap(), e2e::python().unwrap()])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    // The script goes on when its log is full; the trace that does not fit is an error of its own.
    let prints = "for _ in range(40):\n    print('x' * 100_000)\nassert False, 'came to its end'\n";
    let report = run(prints, "", "--log small/log --trace small/trace.npz");
    assert_eq!(
        error_codes(&report),
        ["script-crashed", "cannot-write-trace"],
        "{report:#}"
    );
    assert!(
        report["errors"][1]["message"]
            .as_str()
            .unwrap()
            .contains("No space left"),
        "{report:#}"
    );
    assert!(
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("came to its end"),
        "{report:#}"
    );
    // What is kept apart lies in the temporary folder.
    let writes = "open('model.keras', 'wb').write(b'x' * (4 << 20))\n";
    let report = run(writes, "TMPDIR=\"$PWD/small\"", "--log log");
    assert_eq!(
        error_codes(&report).first(),
        Some(&"script-crashed"),
        "{report:#}"
    );
    assert!(
        report["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("No space left"),
        "{report:#}"
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
