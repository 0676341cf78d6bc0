//! The engine against Keras' `fit` on TensorFlow: steps, probes, memory, whole runs. Both sides take turns.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::shell::{cargo, root, step};

/// Turns of which the median counts.
const TURNS: usize = 7;
/// Name in `xtask/bench/engine.py`, what it is, and how many times as fast as Keras it should be.
const SHAPES: &[(&str, &str, f64)] = &[
    ("mlp", "MLP 20-64-1, batch 32", 10.0),
    ("digits", "MLP 784-128-10, batch 64", 3.0),
    ("cnn", "CNN on 28×28×1, batch 32", 1.0),
    ("lstm", "LSTM(32) over 50 steps, batch 32", 3.0),
];
/// A small script with a fault.
const SCRIPT: &str = "fixtures/deeplocalize-40/45442843-threshold/faulty.py";

pub fn run(binary: &Path, python: &Path) -> anyhow::Result<()> {
    step(
        "build the engine's bench",
        cargo().args([
            "build",
            "--release",
            "--quiet",
            "-p",
            "deeplocalize-engine",
            "--example",
            "speed",
        ]),
    )?;
    steps(python)?;
    whole_runs(binary, python)
}

/// Keras in a process of its own, which trains when it is asked to.
struct Keras {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Keras {
    fn start(python: &Path, folder: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(python)
            .arg(root().join("xtask/bench/engine.py"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start Python")?;
        let requests = process.stdin.take().context("no standard input")?;
        let answers = process.stdout.take().context("no standard output")?;
        let mut keras = Keras {
            process,
            requests,
            answers: BufReader::new(answers),
        };
        ensure!(keras.line()? == "ready", "Keras did not start");
        Ok(keras)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Of a step, by the clock and of processor time.
    fn seconds(&mut self, shape: &str) -> anyhow::Result<(f64, f64)> {
        writeln!(self.requests, "{shape}")?;
        let line = self.line()?;
        let (clock, processor) = line.split_once(' ').context("Keras did not train")?;
        Ok((clock.parse()?, processor.parse()?))
    }
}

impl Drop for Keras {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What `examples/speed.rs` measures.
#[derive(Clone, Copy, Default)]
struct Engine {
    plain: f64,
    plain_processor: f64,
    probed_processor: f64,
    /// Bytes that activations and weights need, and that training took at its peak.
    needed: f64,
    grown: f64,
}

fn engine(model: &Path) -> anyhow::Result<Engine> {
    let speed = root().join("target/release/examples/speed");
    let output = Command::new(speed).arg(model).arg("1.5").output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || {
        numbers
            .next()
            .context("the engine did not train")?
            .context("no number")
    };
    let (plain, plain_processor) = (next()?, next()?);
    let (_, probed_processor) = (next()?, next()?);
    Ok(Engine {
        plain,
        plain_processor,
        probed_processor,
        needed: next()?,
        grown: next()?,
    })
}

fn steps(python: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut keras = Keras::start(python, folder.path())?;
    println!(
        "\n| model | Keras, steps/s | engine, steps/s | ratio | ratio of processor time | wanted | probing every step costs | peak memory |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    for (shape, name, wanted) in SHAPES {
        let model = folder.path().join(format!("{shape}.json"));
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            theirs.push(keras.seconds(shape)?);
            ours.push(engine(&model)?);
        }
        let clock = median(theirs.iter().map(|pair| pair.0).collect());
        let processor = median(theirs.iter().map(|pair| pair.1).collect());
        let of = |pick: fn(&Engine) -> f64| median(ours.iter().map(pick).collect());
        let plain = of(|engine| engine.plain);
        println!(
            "| {name} | {:.0} | {:.0} | {:.1} | {:.1} | {wanted:.0} | {:.0} % | {:.1} of {:.1} MB |",
            1.0 / clock,
            1.0 / plain,
            clock / plain,
            processor / of(|engine| engine.plain_processor),
            // Processor time, which does not depend on what else runs.
            100.0 * of(|engine| engine.probed_processor / engine.plain_processor - 1.0),
            1e-6 * of(|engine| engine.grown),
            1e-6 * of(|engine| engine.needed),
        );
    }
    Ok(())
}

/// From the command to the verdict.
fn whole_runs(binary: &Path, python: &Path) -> anyhow::Result<()> {
    let run = |mechanism: &str| -> anyhow::Result<f64> {
        let mut command = Command::new(binary);
        command
            .args([
                "run",
                "--no-progress",
                "--try-fixes=never",
                "--mechanism",
                mechanism,
                "--python",
            ])
            .arg(python)
            .arg(root().join(SCRIPT));
        let start = Instant::now();
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        ensure!(
            status.code() == Some(1),
            "{SCRIPT}: no fault found by {mechanism}"
        );
        Ok(start.elapsed().as_secs_f64())
    };
    let import = || -> anyhow::Result<f64> {
        let mut command = Command::new(python);
        command.args(["-c", "import keras"]).env("KERAS_BACKEND", "numpy");
        let start = Instant::now();
        command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        Ok(start.elapsed().as_secs_f64())
    };
    let (mut imperative, mut callback, mut imports) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        imperative.push(run("imperative")?);
        callback.push(run("callback")?);
        imports.push(import()?);
    }
    let (imperative, callback, imports) = (median(imperative), median(callback), median(imports));
    println!("\n| whole run of {SCRIPT} | seconds |\n| --- | --- |");
    println!("| imperative | {imperative:.2} |");
    println!(
        "| callback | {callback:.2} ({:.1} times) |",
        callback / imperative
    );
    println!(
        "| `import keras` on NumPy alone | {imports:.2} (run: {:+.2}) |",
        imperative - imports
    );
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
