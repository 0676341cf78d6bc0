//! The cases and what was published about them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::shell::root;

#[derive(Debug, Deserialize)]
pub struct Case {
    pub id: String,
    pub verdict: String,
    pub kinds: Vec<String>,
    pub accept: Vec<String>,
    #[serde(skip)]
    pub folder: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Published {
    case: Vec<PublishedCase>,
}

#[derive(Debug, Deserialize)]
pub struct PublishedCase {
    pub id: String,
    /// Verdict of the record on the published program.
    #[serde(default)]
    pub record: String,
    #[serde(flatten)]
    pub results: BTreeMap<String, Value>,
}

impl Case {
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Whether nothing is wrong with it.
    pub fn control(&self) -> bool {
        self.verdict == "healthy"
    }
}

pub fn all() -> anyhow::Result<Vec<Case>> {
    let set = root().join("fixtures/deeplocalize-40");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&set)? {
        let folder = entry?.path();
        if !folder.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(folder.join("case.toml"))?;
        let case: Case = toml::from_str(&text).with_context(|| format!("{}/case.toml", folder.display()))?;
        cases.push(Case { folder, ..case });
    }
    cases.sort_by(|a, b| a.folder.cmp(&b.folder));
    ensure!(!cases.is_empty(), "no cases in {}", set.display());
    Ok(cases)
}

pub fn published() -> anyhow::Result<Vec<PublishedCase>> {
    let path = root().join("fixtures/deeplocalize-40/published.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(toml::from_str::<Published>(&text).context("published.toml")?.case)
}
