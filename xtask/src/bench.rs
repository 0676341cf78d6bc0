//! `cargo xtask bench`: speed as ratios against a peer in the same run. Seconds are shown for orientation only.

mod engine;
mod server;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::python;
use crate::shell::{release_binary, root};

/// Repetitions of which the median counts.
const REPEAT: usize = 5;
/// Files the quick check is measured on.
const FILES: usize = 1000;

/// Only the engine against Keras.
pub fn of_engine() -> anyhow::Result<()> {
    engine::run(&release_binary()?, &python::environment()?)
}

pub fn run(training_too: bool) -> anyhow::Result<()> {
    let binary = release_binary()?;
    let python = python::environment()?;
    println!("\n| what | ours | peer | ratio |\n| --- | --- | --- | --- |");
    quick_check(&binary, &python)?;
    server::run(&binary, &python.with_file_name("ruff"))?;
    if !training_too {
        return Ok(());
    }
    for shape in ["mlp", "cnn"] {
        training(&binary, &python, shape)?;
    }
    engine::run(&binary, &python)
}

/// `deeplocalize check` against `ruff check --no-cache` on the same files.
fn quick_check(binary: &Path, python: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let fixtures = scripts()?;
    for number in 0..FILES {
        let source = &fixtures[number % fixtures.len()];
        std::fs::copy(source, folder.path().join(format!("train_{number}.py")))?;
    }
    let ruff = python.with_file_name("ruff");
    let ours = median(|| timed(Command::new(binary).arg("check").arg(folder.path())))?;
    let peer = median(|| {
        timed(
            Command::new(&ruff)
                .args(["check", "--no-cache", "--quiet"])
                .arg(folder.path()),
        )
    })?;
    row(
        &format!("check {FILES} scripts / ruff check --no-cache"),
        ours,
        peer,
    );
    Ok(())
}

/// The steady state of a traced `fit` against the same script run plainly.
fn training(binary: &Path, python: &Path, shape: &str) -> anyhow::Result<()> {
    let script = root().join("xtask/bench/training.py");
    let folder = tempfile::tempdir()?;
    let result = folder.path().join("seconds");
    let seconds = |command: &mut Command| -> anyhow::Result<(f64, f64)> {
        let _ = std::fs::remove_file(&result);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        let text = std::fs::read_to_string(&result).context("the training did not finish")?;
        let mut numbers = text.split_whitespace().map(str::parse::<f64>);
        Ok((
            numbers.next().context("no wall time")??,
            numbers.next().context("no CPU time")??,
        ))
    };
    let mut ours = Vec::new();
    let mut peer = Vec::new();
    for _ in 0..3 {
        peer.push(seconds(
            Command::new(python).arg(&script).arg(shape).arg(&result),
        )?);
        let mut traced = Command::new(binary);
        traced.args([
            "run",
            "--keep-going",
            "--no-progress",
            "--max-batches",
            "1000000",
            "--max-seconds",
            "600",
            "--python",
        ]);
        ours.push(seconds(traced.arg(python).arg(&script).arg(shape).arg(&result))?);
    }
    let middle = |values: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = values.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    row(
        &format!("traced fit / plain fit, {shape}, wall"),
        middle(&ours, |pair| pair.0),
        middle(&peer, |pair| pair.0),
    );
    row(
        &format!("traced fit / plain fit, {shape}, CPU"),
        middle(&ours, |pair| pair.1),
        middle(&peer, |pair| pair.1),
    );
    Ok(())
}

fn scripts() -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut scripts = Vec::new();
    for set in std::fs::read_dir(root().join("fixtures"))? {
        for entry in std::fs::read_dir(set?.path()).into_iter().flatten() {
            let entry = entry?.path();
            // A set holds folders of cases, or scripts.
            let files: Vec<_> = match std::fs::read_dir(&entry) {
                Ok(files) => files
                    .map(|file| Ok(file?.path()))
                    .collect::<std::io::Result<_>>()?,
                Err(_) => vec![entry],
            };
            let is_script =
                |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "py");
            scripts.extend(files.into_iter().filter(is_script));
        }
    }
    ensure!(!scripts.is_empty(), "no fixtures found");
    scripts.sort();
    Ok(scripts)
}

fn timed(command: &mut Command) -> anyhow::Result<f64> {
    let start = Instant::now();
    command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    Ok(start.elapsed().as_secs_f64())
}

fn median(mut measure: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    measure()?;
    let mut seconds = (0..REPEAT)
        .map(|_| measure())
        .collect::<anyhow::Result<Vec<f64>>>()?;
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[REPEAT / 2])
}

fn row(what: &str, ours: f64, peer: f64) {
    println!("| {what} | {ours:.3} s | {peer:.3} s | {:.2} |", ours / peer);
}
