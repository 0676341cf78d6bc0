//! The totals.

use std::fmt::Write;

use e2e::Case;

use super::Row;
use super::columns::{PUBLISHED, published};
use super::published::PublishedCase;
use super::tools::{DEFAULT, Said, TOOLS};
use crate::patches::measure::first_patch;

pub fn table(rows: &[Row<'_>]) -> String {
    let mut table = String::from(
        "| tool | faulty programs called faulty | accepted place first | controls without alarm | fixed twins without alarm |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    let (controls, faulty): (Vec<&Row<'_>>, Vec<_>) = rows.iter().partition(|row| row.case.control());
    let twins: Vec<_> = rows.iter().filter_map(|row| row.twin.as_ref()).collect();
    for (at, tool) in TOOLS.iter().enumerate() {
        // Over what this tool was run on.
        let of = |rows: &[&Row<'_>], right: &dyn Fn(&Case, &Said) -> bool| {
            let all = rows
                .iter()
                .filter_map(|row| Some((row.case, row.faulty[at].as_ref()?)));
            share(all.map(|(case, said)| right(case, said)))
        };
        let twins = twins.iter().filter_map(|twin| twin[at].as_ref());
        if rows.iter().all(|row| row.faulty[at].is_none()) {
            continue;
        }
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} |",
            tool.title,
            of(&faulty, &|_, said| said.alarm),
            of(&faulty, &|case, said| said.accepted(case, tool.kinds)),
            of(&controls, &|_, said| !said.alarm),
            share(twins.map(|said| !said.alarm)),
        );
    }
    for (key, name) in PUBLISHED {
        let known: Vec<_> = faulty
            .iter()
            .filter_map(|row| row.published.filter(|known| known.results.contains_key(key)))
            .collect();
        let count = |part: &str| {
            known
                .iter()
                .filter(|case: &&&PublishedCase| published(case, key, part) == Some(true))
                .count()
        };
        let _ = writeln!(
            table,
            "| {name}, as published | {} of {} identified | {} of {} localised | – | – |",
            count("identified"),
            known.len(),
            count("localised"),
            known.len()
        );
    }
    table
}

/// How many of them are true, of how many.
fn share(all: impl Iterator<Item = bool>) -> String {
    let (right, count) = all.fold((0, 0), |(right, count), one| {
        (right + usize::from(one), count + 1)
    });
    format!("{right} of {count}")
}

/// What the default detector and its patches are measured by: the real cases, and silence on the others.
pub fn summary(rows: &[Row<'_>]) -> String {
    let real: Vec<_> = rows.iter().filter(|row| row.real()).collect();
    let of = |right: &dyn Fn(&Row<'_>, &Said) -> bool| {
        let all = real
            .iter()
            .filter_map(|row| Some((row, row.faulty[DEFAULT].as_ref()?)));
        share(all.map(|(row, said)| right(row, said)))
    };
    let mut text = format!(
        "\nReal cases (record *real*, *real fix incomplete* or *real seed dependent*): the verdict of `deeplocalize run` is *faulty* on {}, and an accepted place comes first in {}.",
        of(&|_, said| said.verdict == "faulty"),
        of(&|row, said| said.accepted(row.case, true)),
    );
    let verdict = |row: &Row<'_>| row.patch.as_ref()?.verdict.clone();
    if rows.iter().any(|row| verdict(row).is_some()) {
        let controls = rows.iter().filter(|row| row.case.control());
        let controls = controls.filter_map(|row| row.faulty[DEFAULT].as_ref());
        let twins = rows.iter().filter_map(|row| row.twin.as_ref()?[DEFAULT].as_ref());
        let _ = write!(
            text,
            "\nThe first patch with a measured effect makes the program learn in {}. None is offered on {} controls and fixed twins.",
            of(&|row, _| verdict(row).as_deref() == Some("healthy")),
            share(
                controls
                    .chain(twins)
                    .map(|said| first_patch(&said.report).is_none())
            ),
        );
        let waiting = |row: &&&Row<'_>| row.patch.is_some() && verdict(row).is_none();
        let waiting = real.iter().filter(waiting).count();
        if waiting > 0 {
            let _ = write!(text, " Of the patched scripts, {waiting} were not run.");
        }
    }
    let seeded: Vec<_> = rows.iter().filter_map(|row| row.seeds.as_ref()).collect();
    if !seeded.is_empty() {
        let scripts = seeded.iter().flat_map(|(faulty, twin)| [faulty, twin]);
        let scripts = scripts.filter(|all| !all.is_empty());
        let same = scripts.map(|all| all.iter().all(|said| said.verdict == all[0].verdict));
        let _ = write!(
            text,
            "\nThe verdict is the same with {} seeds on {} scripts.",
            seeded[0].0.len(),
            share(same)
        );
    }
    text += "\n";
    let faulty = rows.iter().filter(|row| !row.case.control());
    let untried = faulty.filter(|row| row.faulty[DEFAULT].as_ref().is_some_and(|said| !said.trials));
    let count = untried.count();
    if count > 0 {
        let _ = writeln!(
            text,
            "\nNo changes were tried on {count} of the faulty programs (`--no-trials`)."
        );
    }
    text
}
