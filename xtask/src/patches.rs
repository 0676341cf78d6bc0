//! `cargo xtask bench --patches`: of every faulty program the first patch with its measured effect, and whether the patched
//! script learns; of every fixed twin and control, whether it is left alone. And whether stated confidences are right.
//! Writes docs/patches.md and docs/calibration.md.

mod calibration;
mod edits;
mod page;
mod record;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::python;
use crate::shell::{release_binary, root};
use record::{Case, Measure, Record};

/// Sets of programs that are run.
const SETS: [&str; 2] = ["deeplocalize-40", "trainings"];

/// Runs what is not on record yet (only cases whose name holds `only`, if given), and writes the pages.
pub fn run(only: Option<&str>, offline: bool) -> anyhow::Result<()> {
    let kept = root().join("target/patches/records.jsonl");
    let mut records = record::read(&kept)?;
    if !offline {
        let measure = Measure {
            binary: release_binary()?,
            python: python::environment()?,
        };
        for case in cases()? {
            let asked = only.is_none_or(|only| case.name.contains(only));
            if !asked || records.iter().any(|known| known.case == case.name) {
                continue;
            }
            let record = measure.of(&case)?;
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

fn cases() -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for set in SETS {
        let mut folders: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(root().join("fixtures").join(set))? {
            folders.push(entry?.path());
        }
        folders.sort();
        for folder in folders
            .into_iter()
            .filter(|folder| folder.join("case.toml").exists())
        {
            cases.push(Case::read(set, folder)?);
        }
    }
    Ok(cases)
}
