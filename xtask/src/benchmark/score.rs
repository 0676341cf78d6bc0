//! The totals.

use std::fmt::Write;

use super::Row;
use super::columns::{PUBLISHED, published};
use super::published::PublishedCase;
use super::tools::TOOLS;

pub fn table(rows: &[Row<'_>]) -> String {
    let mut table = String::from(
        "| tool | faulty programs called faulty | accepted place first | controls without alarm | fixed twins without alarm |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    let (controls, faulty): (Vec<&Row<'_>>, Vec<_>) = rows.iter().partition(|row| row.case.control());
    let twins: Vec<_> = rows.iter().filter_map(|row| row.twin.as_ref()).collect();
    for (at, tool) in TOOLS.iter().enumerate() {
        let detected = faulty.iter().filter(|row| row.faulty[at].alarm).count();
        let accepted = faulty
            .iter()
            .filter(|row| row.faulty[at].accepted(row.case, tool.kinds))
            .count();
        let quiet = controls.iter().filter(|row| !row.faulty[at].alarm).count();
        let quiet_twins = twins.iter().filter(|twin| !twin[at].alarm).count();
        let _ = writeln!(
            table,
            "| {} | {detected} of {} | {accepted} of {} | {quiet} of {} | {quiet_twins} of {} |",
            tool.title,
            faulty.len(),
            faulty.len(),
            controls.len(),
            twins.len()
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
