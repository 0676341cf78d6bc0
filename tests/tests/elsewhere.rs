//! A training that runs without the tool, and is analysed afterwards.
#![cfg(feature = "keras")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use e2e::{python, root, tool};
use serde_json::Value;

/// The learning rate in line 17 makes it diverge.
const TRAINING: &str = "\
import deeplocalize
import os
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(0)
x = rng.normal(size=(512, 8)).astype('float32')
y = (x[:, 0] > 0).astype('float32')
rate = float('5e4')
model = keras.Sequential([
    keras.Input((8,)),
    layers.Dense(16, activation='relu'),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=rate), loss='mse')
model.fit(x, y, epochs=3, batch_size=32, verbose=0, callbacks=[deeplocalize.Tracer('trace-{rank}.npz')])
";

/// Runs a command that must succeed.
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Builds the Python package and installs it into a folder.
fn install(into: &Path) {
    let built = into.join("built");
    // Building leaves files beside the sources.
    let sources = into.join("sources");
    succeeds(
        Command::new("cp")
            .arg("-r")
            .arg(root().join("server/session/tracer"))
            .arg(&sources),
    );
    let pip = || {
        let mut command = Command::new(python().unwrap());
        command.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
        command
    };
    succeeds(
        pip()
            .args(["wheel", "--no-build-isolation", "--no-deps", "--wheel-dir"])
            .arg(&built)
            .arg(&sources),
    );
    let wheel = std::fs::read_dir(&built).unwrap().next().unwrap().unwrap().path();
    succeeds(
        pip()
            .args(["install", "--no-deps", "--no-index", "--target"])
            .arg(into.join("site"))
            .arg(wheel),
    );
}

#[test]
fn a_training_elsewhere_is_localised_against_the_source() {
    let package = tempfile::tempdir().unwrap();
    install(package.path());
    let cluster = tempfile::tempdir().unwrap();
    std::fs::write(cluster.path().join("train.py"), TRAINING).unwrap();
    succeeds(
        Command::new(python().unwrap())
            .arg("train.py")
            .current_dir(cluster.path())
            .env("PYTHONPATH", package.path().join("site"))
            .env("SLURM_PROCID", "1"),
    );
    let trace = cluster.path().join("trace-1.npz");
    assert!(trace.is_file());

    // Here the script is in another folder.
    let here = tempfile::tempdir().unwrap();
    std::fs::write(here.path().join("train.py"), TRAINING).unwrap();
    let analyze = |arguments: &[&str]| {
        let output = tool(here.path())
            .unwrap()
            .args(["analyze", "--output-format", "json"])
            .arg(&trace)
            .args(arguments)
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (report, output.status.code())
    };
    let (report, _) = analyze(&["--script", "train.py"]);
    assert_eq!(report["verdict"], "faulty", "{report:#}");
    let first = &report["findings"][0];
    assert_eq!(
        (&first["kind"], &first["range"]["start"]["line"]),
        (&Value::from("learning-rate"), &Value::from(17)),
        "{report:#}"
    );
    assert_eq!(first["path"], "train.py");
    assert_eq!(report["run"]["fits"][0]["batches_seen"], 48);

    let page = tool(here.path())
        .unwrap()
        .args(["report", "--script", "train.py", "--output", "-"])
        .arg(&trace)
        .output()
        .unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.starts_with("<!doctype html>"), "{page:.200}");
    assert!(page.contains(first["message"].as_str().unwrap()), "{page:.200}");

    std::fs::remove_file(cluster.path().join("train.py")).unwrap();
    let (report, status) = analyze(&[]);
    assert_eq!(report["errors"][0]["code"], "no-such-file", "{report:#}");
    assert_eq!(status, Some(2));
}
