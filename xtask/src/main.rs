//! Project commands, so that nobody needs more than Rust and Python to work on the project.

mod bench;
mod benchmark;
mod demo;
mod docs;
mod editors;
mod python;
mod references;
mod shell;
mod test;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Project commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, make a Python environment and localise the fault of a real script
    Demo,
    /// Set up what the tests need and run them all
    Test {
        /// Only what needs neither Python packages nor an editor
        #[arg(long)]
        fast: bool,
        /// Only this part
        #[arg(long, value_enum, conflicts_with = "fast")]
        only: Option<test::Part>,
    },
    /// Package the VS Code extension for this kind of machine, with the executable in it
    Package,
    /// Measure speed as ratios against a peer in the same run
    Bench {
        /// Instead, measure what is found: run the benchmark's programs and write docs/benchmark.md
        #[arg(long)]
        benchmark: bool,
        /// Only cases whose name holds this
        #[arg(long, requires = "benchmark")]
        only: Option<String>,
        /// Keep what an earlier run of the benchmark has found (in target/benchmark), and run what is missing
        #[arg(long, requires = "benchmark")]
        resume: bool,
        /// Write the page of the benchmark from what earlier runs have kept in full, and run nothing
        #[arg(long, requires = "benchmark")]
        kept: bool,
        /// Try no changes in the benchmark, which takes most of its time
        #[arg(long, requires = "benchmark")]
        no_trials: bool,
        /// Only the native engine against Keras on TensorFlow
        #[arg(long, conflicts_with = "benchmark")]
        engine: bool,
        /// Leave the training out, which takes minutes
        #[arg(long)]
        no_training: bool,
    },
    /// Train the engine's reference models with Keras, whose results its tests compare with
    References {
        /// Only cases whose table and name hold this (`layers/LSTM`)
        #[arg(long)]
        only: Option<String>,
        /// Only cases that were never written
        #[arg(long, conflicts_with = "only")]
        missing: bool,
    },
    /// Write the generated pages: rules and the README's picture
    Docs {
        /// Also run the tool for the README's picture
        #[arg(long)]
        picture: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Demo => demo::run(),
        Command::Test { fast, only } => test::run(fast, only),
        Command::Package => editors::package(),
        Command::Bench {
            benchmark: true,
            only,
            resume,
            kept,
            no_trials,
            ..
        } => benchmark::run(&benchmark::Options {
            only,
            resume,
            kept,
            no_trials,
        }),
        Command::Bench { engine: true, .. } => bench::of_engine(),
        Command::Bench { no_training, .. } => bench::run(!no_training),
        Command::References { only, missing } => references::run(only.as_deref(), missing),
        Command::Docs { picture } => docs::run(picture),
    }
}
