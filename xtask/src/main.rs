//! Project commands, so that nobody needs more than Rust and Python to work on the project.

mod bench;
mod benchmark;
mod demo;
mod docs;
mod editors;
mod patches;
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
        /// Instead, measure what patches do: run the faulty programs, their patches and their twins, and write
        /// docs/patches.md and docs/calibration.md
        #[arg(long, conflicts_with = "benchmark")]
        patches: bool,
        /// Write the pages from what is on record, without running anything
        #[arg(long, requires = "patches")]
        offline: bool,
        /// Only cases whose name holds this
        #[arg(long)]
        only: Option<String>,
        /// Only the native engine against Keras on TensorFlow
        #[arg(long, conflicts_with = "benchmark")]
        engine: bool,
        /// Keep what an earlier run of the benchmark has found (in target/benchmark), and run what is missing
        #[arg(long, requires = "benchmark")]
        resume: bool,
        /// Write the page of the benchmark from what earlier runs have kept in full, and run nothing
        #[arg(long, requires = "benchmark")]
        kept: bool,
        /// Only these parts of the benchmark; the page takes the others from what earlier runs have kept [default: default,
        /// paper, patched]
        #[arg(
            long,
            requires = "benchmark",
            conflicts_with = "kept",
            value_enum,
            value_delimiter = ','
        )]
        part: Vec<benchmark::Part>,
        /// Seeds for the part of that name, the script's own among them
        #[arg(long, requires = "benchmark", value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..))]
        seeds: u32,
        /// Try no changes in the benchmark, which takes most of its time
        #[arg(long, requires = "benchmark")]
        no_trials: bool,
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
            part,
            seeds,
            no_trials,
            ..
        } => benchmark::run(&benchmark::Options {
            only,
            parts: if part.is_empty() {
                benchmark::Part::USUAL.to_vec()
            } else {
                part
            },
            seeds,
            resume,
            kept,
            no_trials,
        }),
        Command::Bench {
            patches: true,
            only,
            offline,
            ..
        } => patches::run(only.as_deref(), offline),
        Command::Bench { engine: true, .. } => bench::of_engine(),
        Command::Bench { no_training, .. } => bench::run(!no_training),
        Command::References { only, missing } => references::run(only.as_deref(), missing),
        Command::Docs { picture } => docs::run(picture),
    }
}
