//! `cargo xtask bench --patches`: of every faulty program the first patch with its measured effect, and whether the patched
//! script learns; of every fixed twin and control, whether it is left alone. And whether stated confidences are right.
//! Writes docs/patches.md and docs/calibration.md.

mod calibration;
mod edits;
pub mod measure;
mod page;
mod record;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::shell::{measured_tool, root};
use e2e::Case;
use record::Record;

/// Sets of programs that are run.
const SETS: [&str; 2] = ["deeplocalize-40", "trainings"];

/// Runs what is not on record yet (only cases whose name holds `only`, if given), and writes the pages.
pub fn run(only: Option<&str>, offline: bool) -> anyhow::Result<()> {
    let kept = root().join("target/patches/records.jsonl");
    let mut records = record::read(&kept)?;
    if !offline {
        let tool = measured_tool()?;
        for (name, case) in cases()? {
            let asked = only.is_none_or(|only| name.contains(only));
            if !asked || records.iter().any(|known| known.case == name) {
                continue;
            }
            let record = measure::of(&tool, name, &case)?;
            println!("{}", page::row(&record));
            keep(&kept, &record)?;
            records.push(record);
        }
    }
    ensure!(!records.is_empty(), "nothing on record in {}", kept.display());
    records.sort_by(|a, b| a.case.cmp(&b.case));
    let pages = [
        ("patches.md", page::page(&records)),
        ("calibration.md", calibration::page(&records)),
    ];
    for (name, text) in pages {
        let path = root().join("docs").join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn keep(path: &Path, record: &Record) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{}", serde_json::to_string(record)?)?;
    Ok(())
}

/// The programs of all sets, with `set/name`.
fn cases() -> anyhow::Result<Vec<(String, Case)>> {
    let mut named = Vec::new();
    for set in SETS {
        for case in e2e::cases(set)? {
            named.push((format!("{set}/{}", case.name()), case));
        }
    }
    Ok(named)
}
