//! `cargo xtask bench --benchmark`: every record of the benchmark by the default detector, by the paper's algorithm and by a
//! tool that always blames the last layer, beside the published figures. Writes docs/benchmark.md.

mod columns;
mod published;
mod score;
mod tools;

use std::fmt::Write;

use anyhow::Context;

use crate::shell::{measured_tool, root};
use columns::COLUMNS;
use e2e::Case;
use published::PublishedCase;
use tools::{Bench, Said, TOOLS};

/// What to run.
pub struct Options {
    /// Only cases whose folder name holds this.
    pub only: Option<String>,
    /// Take what an earlier run has kept in `target/benchmark`, and run what is missing.
    pub resume: bool,
    /// Run nothing: only the cases that earlier runs have kept in full.
    pub kept: bool,
    /// Try no changes, which takes most of the time.
    pub no_trials: bool,
}

/// A case and what every tool says of it, in the order of [`TOOLS`].
pub struct Row<'a> {
    case: &'a Case,
    faulty: Vec<Said>,
    /// Of the fixed twin; `None` where there is none.
    twin: Option<Vec<Said>>,
    published: Option<&'a PublishedCase>,
}

/// Runs the benchmark; writes the page when all cases were run.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let bench = Bench {
        tool: (!options.kept).then(measured_tool).transpose()?,
        kept: root().join("target/benchmark"),
        resume: options.resume || options.kept,
        no_trials: options.no_trials,
    };
    let cases: Vec<Case> = e2e::cases("deeplocalize-40")?
        .into_iter()
        .filter(|case| {
            options
                .only
                .as_ref()
                .is_none_or(|only| case.name().contains(only))
        })
        .collect();
    let (cases, left_out): (Vec<Case>, Vec<Case>) = cases
        .into_iter()
        .partition(|case| !options.kept || bench.has_all(case));
    let published = published::all()?;
    let mut rows = Vec::new();
    for case in &cases {
        let of = |script: &str| -> anyhow::Result<Vec<Said>> {
            TOOLS.iter().map(|tool| bench.ask(tool, case, script)).collect()
        };
        let row = Row {
            case,
            faulty: of("faulty.py")?,
            twin: case.has_twin().then(|| of("fixed.py")).transpose()?,
            published: published.iter().find(|known| known.id == case.id),
        };
        println!("{}", line(&row));
        rows.push(row);
    }
    let mut page = page(&rows);
    if options.no_trials {
        page += "\nNo changes were tried (`--no-trials`), so no finding was moved by what a change does.\n";
    }
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(Case::name).collect();
        let _ = writeln!(
            page,
            "\nNot run, and in none of the totals: {}.",
            names.join(", ")
        );
    }
    println!("\n{page}");
    if options.only.is_none() {
        std::fs::write(root().join("docs/benchmark.md"), page).context("cannot write docs/benchmark.md")?;
    }
    Ok(())
}

fn line(row: &Row<'_>) -> String {
    let cells: Vec<String> = COLUMNS.iter().map(|(_, cell)| cell(row)).collect();
    format!("| {} |", cells.join(" | "))
}

fn page(rows: &[Row<'_>]) -> String {
    let mut page = String::from(include_str!("introduction.md"));
    page += &score::table(rows);
    page += include_str!("criteria.md");
    let titles: Vec<&str> = COLUMNS.iter().map(|(title, _)| *title).collect();
    let _ = writeln!(
        page,
        "| {} |\n|{}",
        titles.join(" | "),
        " --- |".repeat(titles.len())
    );
    for row in rows {
        let _ = writeln!(page, "{}", line(row));
    }
    page
}
