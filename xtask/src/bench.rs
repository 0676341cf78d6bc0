//! `cargo xtask bench`: speed as ratios against a peer in the same run. Seconds are shown for orientation only.

mod engine;
mod server;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::python;
use crate::shell::{cargo, release_binary, root};

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
    analysis()?;
    if !training_too {
        return Ok(());
    }
    for shape in ["mlp", "cnn", "lstm", "deep"] {
        training(&binary, &python, shape, &[])?;
        // The paper's algorithm counts in all batches, so all steps are probed for it.
        training(&binary, &python, shape, &["--detector", "deeplocalize"])?;
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

/// Layer-steps that the analysis of a run takes in each second on one core, and its memory, on trainings that are made up.
fn analysis() -> anyhow::Result<()> {
    const WANTED: f64 = 200_000.0;
    const MEMORY: f64 = 64.0;
    for (layers, steps) in [("3", "200000"), ("20", "20000"), ("100", "6000")] {
        let output = cargo()
            .args([
                "run",
                "--release",
                "--quiet",
                "--package",
                "deeplocalize-localize",
                "--example",
                "speed",
                "--",
                layers,
                steps,
            ])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = text.split_whitespace().map(str::parse::<f64>);
        let speed = numbers.next().context("the analysis printed nothing")??;
        let memory = numbers.next().context("no memory")??;
        println!(
            "| analysis of {steps} steps of {layers} layers, every step probed, layer-steps/s / wanted | {speed:.0} | {WANTED} | {:.1} |",
            speed / WANTED
        );
        println!(
            "| its memory / most allowed | {memory:.0} MB | {MEMORY} MB | {:.2} |",
            memory / MEMORY
        );
    }
    Ok(())
}

/// The steady state of a traced `fit` against the same script run plainly.
fn training(binary: &Path, python: &Path, shape: &str, options: &[&str]) -> anyhow::Result<()> {
    let script = root().join("xtask/bench/training.py");
    let folder = tempfile::tempdir()?;
    let result = folder.path().join("seconds");
    let seconds = |command: &mut Command| -> anyhow::Result<[f64; 3]> {
        let _ = std::fs::remove_file(&result);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        let text = std::fs::read_to_string(&result).context("the training did not finish")?;
        let numbers: Vec<f64> = text
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        <[f64; 3]>::try_from(numbers)
            .map_err(|numbers| anyhow::anyhow!("{} numbers instead of three", numbers.len()))
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
            // The seconds come in a file, which would be kept apart otherwise.
            "--write-files",
            "--mechanism",
            "callback",
            "--try-fixes=never",
            "--max-batches",
            "1000000",
            "--max-seconds",
            "600",
        ]);
        traced.args(options).arg("--python");
        ours.push(seconds(traced.arg(python).arg(&script).arg(shape).arg(&result))?);
    }
    // Pairs were run one after the other, so a busy time of the machine meets both.
    for (number, what) in ["wall", "CPU", "CPU of the first step"].iter().enumerate() {
        let mut pairs: Vec<(f64, f64)> = ours
            .iter()
            .zip(&peer)
            .map(|(ours, peer)| (ours[number], peer[number]))
            .collect();
        pairs.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (ours, peer) = pairs[pairs.len() / 2];
        let steps = if options.is_empty() { "" } else { ", every step" };
        row(
            &format!("traced fit / plain fit, {shape}{steps}, {what}"),
            ours,
            peer,
        );
    }
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
