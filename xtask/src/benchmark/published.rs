//! What was published about the cases.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use crate::shell::root;

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

pub fn all() -> anyhow::Result<Vec<PublishedCase>> {
    let path = root().join("fixtures/deeplocalize-40/published.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(toml::from_str::<Published>(&text).context("published.toml")?.case)
}
