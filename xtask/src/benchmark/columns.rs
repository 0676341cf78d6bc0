//! The columns of the table of cases: one small function and one line in the list each.

use std::collections::BTreeMap;

use super::Row;
use super::published::PublishedCase;
use super::tools::{DEFAULT, JAX, LAST_LAYER, PAPER, Said, TENSORFLOW, TOOLS};

pub struct Column {
    pub title: &'static str,
    pub cell: fn(&Row<'_>) -> String,
}

/// What stands where there is nothing to say.
pub const NOTHING: &str = "–";

const fn column(title: &'static str, cell: fn(&Row<'_>) -> String) -> Column {
    Column { title, cell }
}

pub const COLUMNS: &[Column] = &[
    column("case", name),
    column("record", record),
    column("default", |row| said(row, DEFAULT)),
    column("twin", |row| twin(row, DEFAULT)),
    column("first patch", patch),
    column("effect", effect),
    column("patched script", patched),
    column("seconds", seconds),
    column("seeds", seeds),
    column("Keras on TensorFlow", |row| with_twin(row, TENSORFLOW)),
    column("Keras on JAX", |row| with_twin(row, JAX)),
    column("paper's algorithm", |row| said(row, PAPER)),
    column("twin", |row| twin(row, PAPER)),
    column("last layer", |row| said(row, LAST_LAYER)),
    column("DeepLocalize", |row| of_publication(row, "deeplocalize")),
    column("DeepDiagnosis", |row| of_publication(row, "deepdiagnosis")),
    column("AUTOTRAINER", |row| of_publication(row, "autotrainer")),
    column("UMLAUT", |row| of_publication(row, "umlaut")),
    column("DeepFD", |row| of_publication(row, "deepfd")),
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
        .unwrap_or(NOTHING)
        .replace('-', " ")
}

/// Verdict, line and kind on the faulty program, and what that is worth.
fn said(row: &Row<'_>, tool: usize) -> String {
    let Some(said) = &row.faulty[tool] else {
        return NOTHING.to_owned();
    };
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
    match row.twin.as_ref().and_then(|twin| twin[tool].as_ref()) {
        None => NOTHING.to_owned(),
        Some(twin) if twin.alarm => format!("**alarm** ({})", twin.kind),
        Some(_) => "quiet".to_owned(),
    }
}

/// Both in one cell.
fn with_twin(row: &Row<'_>, tool: usize) -> String {
    let (said, twin) = (said(row, tool), twin(row, tool));
    if twin == NOTHING {
        said
    } else {
        format!("{said}; twin {twin}")
    }
}

fn patch(row: &Row<'_>) -> String {
    let title = row.patch.as_ref().map(|patch| patch.title.replace('|', "\\|"));
    title.unwrap_or_else(|| NOTHING.to_owned())
}

fn effect(row: &Row<'_>) -> String {
    let effect = row.patch.as_ref().map(|patch| patch.effect.clone());
    effect.unwrap_or_else(|| NOTHING.to_owned())
}

fn patched(row: &Row<'_>) -> String {
    let verdict = row.patch.as_ref().and_then(|patch| patch.verdict.as_deref());
    match verdict {
        None => NOTHING,
        Some("healthy") => "learns",
        Some(other) => other,
    }
    .to_owned()
}

fn seconds(row: &Row<'_>) -> String {
    let Some(said) = &row.faulty[DEFAULT] else {
        return NOTHING.to_owned();
    };
    match said.report["run"]["tried"]["seconds"].as_f64() {
        Some(tried) => format!("{:.1} ({tried:.1} trying)", said.seconds),
        None => format!("{:.1}", said.seconds),
    }
}

/// Verdicts with several seeds.
fn seeds(row: &Row<'_>) -> String {
    let Some((faulty, twin)) = &row.seeds else {
        return NOTHING.to_owned();
    };
    if twin.is_empty() {
        verdicts(faulty)
    } else {
        format!("{}; twin {}", verdicts(faulty), verdicts(twin))
    }
}

/// `faulty 3 of 3`, or `faulty 2, healthy 1` in bold.
fn verdicts(all: &[Said]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for said in all {
        *counts.entry(&said.verdict).or_default() += 1;
    }
    if let [first, ..] = all
        && counts.len() == 1
    {
        return format!("{} {} of {}", first.verdict, all.len(), all.len());
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(verdict, count)| format!("{verdict} {count}"))
        .collect();
    format!("**{}**", counts.join(", "))
}

fn of_publication(row: &Row<'_>, key: &str) -> String {
    let part = |name: &str| row.published.and_then(|known| published(known, key, name));
    let word = match (part("identified"), part("localised")) {
        (None, _) => NOTHING,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_that_differ_stand_out() {
        let all = |names: [&str; 3]| {
            verdicts(&names.map(|name| Said {
                verdict: name.to_owned(),
                ..Said::default()
            }))
        };
        assert_eq!(all(["faulty", "faulty", "faulty"]), "faulty 3 of 3");
        assert_eq!(all(["faulty", "healthy", "faulty"]), "**faulty 2, healthy 1**");
    }
}
