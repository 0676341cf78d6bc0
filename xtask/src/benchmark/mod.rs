//! `cargo xtask bench --benchmark`: every record of the benchmark by the default detector, by the paper's algorithm and by a
//! tool that always blames the last layer, beside the published figures. Writes docs/benchmark.md.

mod columns;
mod parts;
mod published;
mod runs;
mod score;
mod seeds;
mod tools;

use std::fmt::Write;

use anyhow::Context;
use e2e::Case;

use crate::patches::measure::{first_patch, trial};
use crate::shell::{measured_tool, root};
use columns::{COLUMNS, Column, NOTHING};
pub use parts::Part;
use published::PublishedCase;
use runs::Bench;
use tools::{DEFAULT, Said, TOOLS};

/// What to run.
pub struct Options {
    /// Only cases whose folder name holds this.
    pub only: Option<String>,
    /// The parts to measure; the others are taken from what earlier runs have kept.
    pub parts: Vec<Part>,
    /// Seeds to run each script with, its own among them.
    pub seeds: u32,
    /// Take what an earlier run has kept in `target/benchmark`, and run what is missing.
    pub resume: bool,
    /// Run nothing: only the cases that earlier runs have kept.
    pub kept: bool,
    /// Try no changes, which takes most of the time.
    pub no_trials: bool,
}

/// What every tool says of one script, in the order of [`TOOLS`]; `None` of one that was not run.
type Answers = Vec<Option<Said>>;

/// A case and what was measured of it.
pub struct Row<'a> {
    case: &'a Case,
    faulty: Answers,
    /// Of the fixed twin; `None` where there is none.
    twin: Option<Answers>,
    patch: Option<Patch>,
    /// With several seeds: of the script, and of its twin.
    seeds: Option<(Vec<Said>, Vec<Said>)>,
    published: Option<&'a PublishedCase>,
}

/// The first patch with a measured effect.
pub struct Patch {
    title: String,
    effect: String,
    /// Verdict on the patched script; `None` when it was not run.
    verdict: Option<String>,
}

/// Runs the benchmark; writes the page when no case was picked.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let bench = Bench {
        tool: (!options.kept).then(measured_tool).transpose()?,
        kept: root().join("target/benchmark"),
        parts: options.parts.clone(),
        resume: options.resume,
        no_trials: options.no_trials,
    };
    let mut cases = e2e::cases("deeplocalize-40")?;
    let only = options.only.as_ref();
    cases.retain(|case| only.is_none_or(|only| case.name().contains(only)));
    let published = published::all()?;
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for case in &cases {
        let row = measure(&bench, case, &published, options.seeds)?;
        if row.complete() {
            println!("{}", line(&row, COLUMNS.iter()));
            rows.push(row);
        } else {
            println!("{}: the default detector or the paper's was not run", case.name());
            left_out.push(case.name());
        }
    }
    let mut page = page(&rows);
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        let _ = writeln!(page, "\nNot run, and in none of the totals: {names}.");
    }
    println!("\n{page}");
    if only.is_none() {
        std::fs::write(root().join("docs/benchmark.md"), page).context("cannot write docs/benchmark.md")?;
    }
    Ok(())
}

fn measure<'a>(
    bench: &Bench,
    case: &'a Case,
    published: &'a [PublishedCase],
    seeds: u32,
) -> anyhow::Result<Row<'a>> {
    let answers = |script: &str| -> anyhow::Result<Answers> {
        TOOLS.iter().map(|tool| bench.ask(tool, case, script)).collect()
    };
    let faulty = answers("faulty.py")?;
    let twin = case.has_twin().then(|| answers("fixed.py")).transpose()?;
    let fix = faulty[DEFAULT]
        .as_ref()
        .and_then(|said| first_patch(&said.report));
    let patch = match fix {
        None => None,
        Some(fix) => Some(Patch {
            title: fix["title"].as_str().unwrap_or_default().to_owned(),
            effect: trial(fix).map_or_else(String::new, |trial| trial.effect()),
            verdict: bench.ask_of_patched(case, fix)?.map(|patched| patched.verdict),
        }),
    };
    let of_twin = match &twin {
        None => Some(Vec::new()),
        Some(_) => bench.ask_with_seeds(case, "fixed.py", seeds)?,
    };
    Ok(Row {
        case,
        faulty,
        twin,
        patch,
        seeds: bench.ask_with_seeds(case, "faulty.py", seeds)?.zip(of_twin),
        published: published.iter().find(|known| known.id == case.id),
    })
}

impl Row<'_> {
    /// Whether the default detector and the paper's were run on all there is.
    fn complete(&self) -> bool {
        let usual = |answers: &Answers| {
            let mut wanted = TOOLS.iter().zip(answers);
            wanted.all(|(tool, said)| {
                said.is_some()
                    || tool
                        .run
                        .as_ref()
                        .is_some_and(|run| !Part::USUAL.contains(&run.part))
            })
        };
        usual(&self.faulty) && self.twin.as_ref().is_none_or(usual)
    }

    /// Whether the record calls the published program's fault a real one, and the rebuilt program has it.
    fn real(&self) -> bool {
        const REAL: [&str; 3] = ["real", "real-fix-incomplete", "real-seed-dependent"];
        !self.case.control()
            && self
                .published
                .is_some_and(|known| REAL.contains(&known.record.as_str()))
    }
}

fn line<'a>(row: &Row<'_>, columns: impl Iterator<Item = &'a Column>) -> String {
    let cells: Vec<String> = columns.map(|column| (column.cell)(row)).collect();
    format!("| {} |", cells.join(" | "))
}

fn page(rows: &[Row<'_>]) -> String {
    let mut page = String::from(include_str!("introduction.md"));
    page += &score::table(rows);
    page += &score::summary(rows);
    page += include_str!("criteria.md");
    // What was measured of no case has no column.
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| rows.iter().any(|row| (column.cell)(row) != NOTHING))
        .collect();
    let titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
    let _ = writeln!(
        page,
        "| {} |\n|{}",
        titles.join(" | "),
        " --- |".repeat(titles.len())
    );
    for row in rows {
        let _ = writeln!(page, "{}", line(row, columns.iter().copied()));
    }
    page
}
