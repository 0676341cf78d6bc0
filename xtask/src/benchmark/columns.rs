//! The columns of the table of cases: one small function and one line in the list each.

use super::Row;
use super::published::PublishedCase;
use super::tools::{DEFAULT, LAST_LAYER, PAPER, TOOLS};

type Cell = fn(&Row<'_>) -> String;

pub const COLUMNS: &[(&str, Cell)] = &[
    ("case", name),
    ("record", record),
    ("default", |row| said(row, DEFAULT)),
    ("twin", |row| twin(row, DEFAULT)),
    ("seconds", seconds),
    ("paper's algorithm", |row| said(row, PAPER)),
    ("twin", |row| twin(row, PAPER)),
    ("last layer", |row| said(row, LAST_LAYER)),
    ("DeepLocalize", |row| of_publication(row, "deeplocalize")),
    ("DeepDiagnosis", |row| of_publication(row, "deepdiagnosis")),
    ("AUTOTRAINER", |row| of_publication(row, "autotrainer")),
    ("UMLAUT", |row| of_publication(row, "umlaut")),
    ("DeepFD", |row| of_publication(row, "deepfd")),
];

/// Publications with figures for the same cases: key in `published.toml`, name in the table.
pub const PUBLISHED: [(&str, &str); 5] = [
    ("deeplocalize", "DeepLocalize"),
    ("deepdiagnosis", "DeepDiagnosis"),
    ("autotrainer", "AUTOTRAINER"),
    ("umlaut", "UMLAUT"),
    ("deepfd", "DeepFD"),
];

fn name(row: &Row<'_>) -> String {
    row.case.name()
}

fn record(row: &Row<'_>) -> String {
    let known = row.published.map(|known| known.record.as_str());
    known
        .filter(|record| !record.is_empty())
        .unwrap_or("–")
        .replace('-', " ")
}

/// Verdict, line and kind on the faulty program, and what that is worth.
fn said(row: &Row<'_>, tool: usize) -> String {
    let said = &row.faulty[tool];
    let accepted = said.accepted(row.case, TOOLS[tool].kinds);
    let mark = match (row.case.control(), accepted, said.alarm) {
        (true, _, false) => "quiet",
        (true, _, true) => "**alarm**",
        (false, true, _) => "accepted",
        (false, false, true) => "elsewhere",
        (false, false, false) => "missed",
    };
    let line = said.place.as_deref().and_then(|place| place.rsplit_once(':'));
    let line = line.map(|(_, line)| format!("line {line}"));
    let parts = [
        said.verdict.clone(),
        line.unwrap_or_default(),
        said.kind.clone(),
        mark.to_owned(),
    ];
    let filled: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    filled.join(", ")
}

/// Whether the tool is silent on the fixed twin.
fn twin(row: &Row<'_>, tool: usize) -> String {
    match &row.twin {
        None => "–".to_owned(),
        Some(twin) if twin[tool].alarm => format!("**alarm** ({})", twin[tool].kind),
        Some(_) => "quiet".to_owned(),
    }
}

fn seconds(row: &Row<'_>) -> String {
    format!("{:.1}", row.faulty[DEFAULT].seconds)
}

fn of_publication(row: &Row<'_>, key: &str) -> String {
    let part = |name: &str| row.published.and_then(|known| published(known, key, name));
    let word = match (part("identified"), part("localised")) {
        (None, _) => "–",
        (Some(false), _) => "missed",
        (_, Some(true)) => "localised",
        (Some(true), _) => "identified",
    };
    word.to_owned()
}

/// A figure of a publication.
pub fn published(case: &PublishedCase, key: &str, part: &str) -> Option<bool> {
    case.results.get(key)?.get(part)?.as_bool()
}
